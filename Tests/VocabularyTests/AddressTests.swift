import Testing
import Vocabulary

@Suite("IP addresses")
struct AddressTests {
    @Test(
        "are written as RFC 5952 asks, and read back",
        arguments: [
            ("192.0.2.7", "192.0.2.7"), ("0.0.0.0", "0.0.0.0"),
            ("255.255.255.255", "255.255.255.255"),
            ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:db8::1", "2001:db8::1"),
            // §4.1 leading zeros, §4.3 lower case
            ("2001:0DB8:0000:0000:0000:0000:0002:0001", "2001:db8::2:1"),
            ("2001:db8::00AB", "2001:db8::ab"),
            // §4.2.2 one group of zeros is not shortened
            ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            // §4.2.3 the longest run, and the first of two
            ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("0:0:1::", "0:0:1::"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
            // Kept as IPv4.
            ("::ffff:192.0.2.7", "192.0.2.7"), ("::ffff:c000:207", "192.0.2.7"),
        ])
    func format(_ text: String, _ canonical: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
        #expect(IPAddress(address.bytes) == address)
    }

    @Test(
        "are refused",
        arguments: [
            "", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.-4", "1.2.3.+4", "01.2.3.4",
            "1.2.3.4 ", "1.2.3.٤", "1..2.3", "0x1.2.3.4", ":", ":::", "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1:2:3:4:5:6:7:8::", "::1::", "1::2::3", "12345::", "g::", "::-0", "::-1", "::+1",
            ":1::2",
            "1::2:", "fe80::1%eth0", "::1/64", "[::1]", "::1.2.3", "1.2.3.4::", "::1.2.3.4:5",
            "::ffff:1.2.3.256", "1:2:3:4:5:6:7:1.2.3.4",
            "0000000000000000000000000000000000000000000000000000::1",
        ])
    func refused(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("of random bits come back from their text")
    func roundTrip() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            // Sparse, so that runs of zeros are common.
            let mask = UInt64.random(in: 0 ... .max, using: &random)
            let address = IPAddress.v6(
                high: (.random(in: 0 ... .max, using: &random) & mask) | 1,
                low: .random(in: 0 ... .max, using: &random) & ~mask & mask.byteSwapped)
            #expect(IPAddress(address.description) == address, "\(address.bytes)")
        }
    }

    @Test("have 4 or 16 bytes")
    func lengths() {
        for count in 0...20 {
            let address = IPAddress([UInt8](repeating: 9, count: count))
            #expect((address != nil) == (count == 4 || count == 16))
        }
    }

    @Test(
        "prefixes of every length, and beyond",
        arguments: [
            ("192.0.2.255", -1, "0.0.0.0"), ("192.0.2.255", 0, "0.0.0.0"),
            ("192.0.2.255", 1, "128.0.0.0"),
            ("192.0.2.255", 31, "192.0.2.254"), ("192.0.2.255", 32, "192.0.2.255"),
            ("192.0.2.255", 99, "192.0.2.255"),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", -5, "::"),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0, "::"),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, "8000::"),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 64, "ffff:ffff:ffff:ffff::"),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65, "ffff:ffff:ffff:ffff:8000::"),
            (
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 128,
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
            ),
            (
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 200,
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
            ),
        ])
    func prefix(_ text: String, _ length: Int, _ expected: String) throws {
        #expect(try #require(IPAddress(text)).prefix(length).description == expected)
    }

    @Test("endpoints put IPv6 into brackets")
    func endpoints() throws {
        #expect(Endpoint(.v4(0xc000_0207), 500).description == "192.0.2.7:500")
        #expect(
            Endpoint(try #require(IPAddress("2001:db8::1")), 4500).description
                == "[2001:db8::1]:4500")
    }
}
