import Vocabulary

/// Length-delimited `io.prometheus.client.MetricFamily` messages (client_model's metrics.proto),
/// the only format that carries native histograms. Field numbers are that file's.
struct ProtobufWriter: FamilyWriter {
    private var stream: [UInt8] = []
    private var family = ProtobufMessage()
    private var metrics = 0

    mutating func begin(_ family: MetricFamily) {
        self.family = ProtobufMessage()
        metrics = 0
        self.family.text(1, family.name)
        self.family.text(2, family.help)
        let type: UInt64 =
            switch family.kind {
            case .counter: 0
            case .gauge: 1
            case .histogram: 4
            }
        self.family.varint(3, type)
    }

    mutating func sample(_ family: MetricFamily, _ labels: Labels, _ value: Number) {
        var number = ProtobufMessage()
        number.double(1, value.double)
        add(labels) { $0.message(family.kind == .counter ? 3 : 2, number) }
    }

    mutating func histogram(
        _ family: MetricFamily, _ labels: Labels, _ distribution: Distribution
    ) {
        var histogram = ProtobufMessage()
        var total: UInt64 = 0
        var buckets: [ProtobufMessage] = []
        for (place, bound) in (distribution.bounds + [.infinity]).enumerated() {
            total = total.addingSaturating(distribution.counts[place])
            var bucket = ProtobufMessage()
            bucket.varint(1, total)
            bucket.double(2, bound)
            if let exemplar = distribution.exemplars[place] {
                bucket.message(3, message(exemplar))
            }
            buckets.append(bucket)
        }
        histogram.varint(1, total)
        histogram.double(2, distribution.sum)
        for bucket in buckets { histogram.message(3, bucket) }
        write(distribution.native, to: &histogram)
        add(labels) { $0.message(7, histogram) }
    }

    /// A family without series is left out: a message of it would not be valid.
    mutating func end(_ family: MetricFamily) {
        guard metrics > 0 else { return }
        var delimited = ProtobufMessage()
        delimited.raw(UInt64(self.family.bytes.count))
        stream += delimited.bytes
        stream += self.family.bytes
    }

    mutating func finish() -> [UInt8] { stream }

    private mutating func add(_ labels: Labels, _ fill: (inout ProtobufMessage) -> Void) {
        var metric = ProtobufMessage()
        for label in labels {
            var pair = ProtobufMessage()
            pair.text(1, label.name)
            pair.text(2, label.value)
            metric.message(1, pair)
        }
        fill(&metric)
        family.message(4, metric)
        metrics += 1
    }

    /// Spans of neighbouring buckets, and each count as its difference to the one before.
    private func write(_ native: NativeBuckets, to histogram: inout ProtobufMessage) {
        histogram.signed(5, Int64(NativeBuckets.schema))
        histogram.double(6, NativeBuckets.zeroThreshold)
        histogram.varint(7, native.zeroes)
        var spans: [(offset: Int64, length: UInt64)] = []
        var deltas: [Int64] = []
        var last: (index: Int, count: UInt64)?
        for (index, count) in native.counts.sorted(by: { $0.key < $1.key }) {
            if let last, index == last.index + 1 {
                spans[spans.count - 1].length += 1
            } else {
                spans.append((Int64(index - (last.map { $0.index + 1 } ?? 0)), 1))
            }
            deltas.append(Int64(clamping: count) &- Int64(clamping: last?.count ?? 0))
            last = (index, count)
        }
        // A native histogram without observations is told from a classic one by an empty span.
        for span in spans.isEmpty ? [(offset: 0, length: 0)] : spans {
            var message = ProtobufMessage()
            message.signed(1, span.offset)
            message.varint(2, span.length)
            histogram.message(12, message)
        }
        for delta in deltas { histogram.signed(13, delta) }
    }

    private func message(_ exemplar: Exemplar) -> ProtobufMessage {
        var label = ProtobufMessage()
        label.text(1, "session_id")
        label.text(2, exemplar.session)
        var time = ProtobufMessage()
        time.varint(1, UInt64(clamping: exemplar.time.nanoseconds / 1_000_000_000))
        time.varint(2, UInt64(clamping: exemplar.time.nanoseconds % 1_000_000_000))
        var message = ProtobufMessage()
        message.message(1, label)
        message.double(2, exemplar.value)
        message.message(3, time)
        return message
    }
}

/// The wire format of Protocol Buffers, as far as it is needed.
struct ProtobufMessage {
    private(set) var bytes: [UInt8] = []

    mutating func varint(_ field: UInt64, _ value: UInt64) {
        raw(field << 3)
        raw(value)
    }

    /// `sint32` and `sint64`.
    mutating func signed(_ field: UInt64, _ value: Int64) {
        varint(field, UInt64(bitPattern: value << 1) ^ UInt64(bitPattern: value >> 63))
    }

    mutating func double(_ field: UInt64, _ value: Double) {
        raw(field << 3 | 1)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
    }

    mutating func text(_ field: UInt64, _ text: String) { delimited(field, Array(text.utf8)) }

    mutating func message(_ field: UInt64, _ message: ProtobufMessage) {
        delimited(field, message.bytes)
    }

    private mutating func delimited(_ field: UInt64, _ content: [UInt8]) {
        raw(field << 3 | 2)
        raw(UInt64(content.count))
        bytes += content
    }

    mutating func raw(_ value: UInt64) {
        var rest = value
        while rest > 0x7f {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
