import Interchange
import Testing

@Suite("Numbers of text formats")
struct MetricValueTests {
    @Test(
        "mean what they say",
        arguments: [
            ("0", MetricValue.decimal(0, decimals: 0)), ("1", .decimal(1, decimals: 0)),
            ("+7", .decimal(7, decimals: 0)), ("-2.50", .decimal(-25, decimals: 1)),
            ("1e3", .decimal(1_000, decimals: 0)), ("1.5e2", .decimal(150, decimals: 0)),
            ("5e-1", .decimal(5, decimals: 1)), (".5", .decimal(5, decimals: 1)),
            ("5.", .decimal(5, decimals: 0)), ("0.000000001", .decimal(1, decimals: 9)),
            ("100000000000000000e-11", .decimal(1_000_000, decimals: 0)),
            ("9223372036854775807", .decimal(.max, decimals: 0)),
            ("1795000000.123456789", .decimal(1_795_000_000_123_456_789, decimals: 9)),
            ("0.0000000001", MetricValue(0.000_000_000_1)),
            ("18446744073709551616", MetricValue(18_446_744_073_709_551_616)),
            ("-0", MetricValue(-0.0)), ("+Inf", MetricValue(.infinity)),
            ("-inf", MetricValue(-.infinity)), ("NaN", MetricValue(.nan)),
        ])
    func known(_ text: String, _ value: MetricValue) {
        #expect(MetricValue(text.bytes) == value)
    }

    @Test(
        "are refused",
        arguments: [
            "", "-", "+", ".", "e5", "1e", "1e+", "1e99999", "1e999", "0x10", "1_000", "1,5", "--1",
            "1 ", "nano", "infinit", String(repeating: "1", count: 65),
        ])
    func refused(_ text: String) {
        #expect(MetricValue(text.bytes) == nil)
    }

    @Test("are read as they were written")
    func roundTrip() {
        var generator = SeededGenerator(1)
        for _ in 0..<5_000 {
            let value = randomValue(&generator)
            let again = MetricValue(value.text.bytes)
            if value.double.isNaN {
                #expect(again?.double.isNaN == true)
            } else if case .decimal = value {
                #expect(again == value)
            } else {
                #expect(again?.double == value.double, "\(value.text)")
            }
        }
    }

    @Test("the double is the one nearest to the decimal")
    func nearest() {
        var generator = SeededGenerator(2)
        for _ in 0..<2_000 {
            let value = MetricValue(
                normalising: .random(in: .min...(.max), using: &generator),
                decimals: .random(in: 1...9, using: &generator))
            #expect(value.double == Double(value.text), "\(value.text)")
        }
    }
}
