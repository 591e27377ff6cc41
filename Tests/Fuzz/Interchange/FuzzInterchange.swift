// A line of OpenMetrics or NDJSON is refused, or means something that can be written and read
// again.

import Interchange
import Vocabulary

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    var lines = Lines()
    lines.add(bytes[...])
    while let line = try? lines.next() { check(line.withoutLineEnd) }
    check(lines.finish())
    return 0
}

private func check(_ line: ArraySlice<UInt8>) {
    for unit in [OpenMetricsLine.TimeUnit.seconds, .milliseconds] {
        if case .sample(let sample)? = try? OpenMetricsLine(parsing: line, times: unit) {
            check(sample)
        }
    }
    guard let object = try? FlatObject(parsing: line) else { return }
    var writer = TextWriter()
    writer.object(object.members.map { ($0.name, $0.value) })
    precondition(
        (try? FlatObject(parsing: writer.take()[...].withoutLineEnd)) == object,
        "what was read can't be written: \(object)")
}

private func check(_ sample: MetricSample) {
    var writer = TextWriter()
    writer.sample(sample.name, sample.labels, sample.value, at: sample.at)
    guard
        case .sample(let again)? = try? OpenMetricsLine(
            parsing: writer.take()[...].withoutLineEnd)
    else { fatalError("what was read can't be written: \(sample)") }
    precondition(
        again.name == sample.name && again.labels == sample.labels && again.at == sample.at,
        "the sample changed: \(sample)")
    let (before, after) = (sample.value.double, again.value.double)
    precondition(before == after || before.isNaN && after.isNaN, "the value changed: \(sample)")
}
