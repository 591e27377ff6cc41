/// An event that tells what something carried in its whole life.
package protocol FinalTrafficEvent: Event {
    var final: FinalTraffic { get }
}

/// Final counters, and how sure they are.
package struct FinalTraffic: FieldGroup {
    fileprivate let bytesIn: Public<UInt64>
    fileprivate let packetsIn: Public<UInt64>
    fileprivate let bytesOut: Public<UInt64>
    fileprivate let packetsOut: Public<UInt64>
    fileprivate let uncertaintyMilliseconds: Public<UInt64>

    init(_ total: Traffic, uncertaintyMilliseconds: UInt64) {
        bytesIn = Public(total.bytesIn)
        packetsIn = Public(total.packetsIn)
        bytesOut = Public(total.bytesOut)
        packetsOut = Public(total.packetsOut)
        self.uncertaintyMilliseconds = Public(uncertaintyMilliseconds)
    }
}

extension FinalTrafficEvent {
    package var bytesIn: Public<UInt64> { final.bytesIn }
    package var packetsIn: Public<UInt64> { final.packetsIn }
    package var bytesOut: Public<UInt64> { final.bytesOut }
    package var packetsOut: Public<UInt64> { final.packetsOut }
    package var uncertaintyMilliseconds: Public<UInt64> { final.uncertaintyMilliseconds }
    package var total: Traffic {
        Traffic(
            bytesIn: bytesIn.clear, packetsIn: packetsIn.clear, bytesOut: bytesOut.clear,
            packetsOut: packetsOut.clear)
    }
}

extension Array {
    /// The last fields of every ``FinalTrafficEvent``.
    static func finalTraffic<E: FinalTrafficEvent>() -> Self where Element == Field<E> {
        [
            Field("bytes_in", \.bytesIn, in: .bytes, "inner bytes from the peer"),
            Field("packets_in", \.packetsIn, in: .packets, "inner packets from the peer"),
            Field("bytes_out", \.bytesOut, in: .bytes, "inner bytes to the peer"),
            Field("packets_out", \.packetsOut, in: .packets, "inner packets to the peer"),
            Field(
                "uncertainty_ms", \.uncertaintyMilliseconds, in: .milliseconds,
                "it may have ended up to this much earlier, and the totals be that much too low"),
        ]
    }
}
