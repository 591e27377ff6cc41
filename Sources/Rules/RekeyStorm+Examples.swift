import Vocabulary

extension RekeyStorm {
    package static let examples: [Example] = [
        .fires(
            "twelve Child SAs of an hour, a rekey every three seconds",
            installed(12, lifetime: 3_600) + rekeys(32, every: 3, from: 600)),
        .fires("rekeys without any Child SA that explains them", rekeys(30, every: 1, from: 0)),
        .fires(
            "IKE SAs that replace each other",
            (0..<30).map { .event(IKESARekeyed.example, at: Double($0)) }),
        .staysQuiet(
            "twelve Child SAs of a minute, five rekeys a minute more than due",
            installed(12, lifetime: 60) + rekeys(85, every: 3.5, from: 300)),
        .staysQuiet(
            "twenty-nine rekeys in five minutes",
            installed(1, lifetime: 3_600) + rekeys(29, every: 10, from: 0)),
        .staysQuiet(
            "a rekey every eleven seconds, for ever",
            installed(1, lifetime: 3_600) + rekeys(500, every: 11, from: 0)),
        .staysQuiet(
            "a thousand Child SAs on time, then all of them end",
            installed(1_000, lifetime: 3_600) + rekeys(166, every: 3.6, from: 600)
                + (0..<1_000).map { closed($0, at: 1_200) } + [.tick(at: 1_215)]),
    ]

    private static func installed(_ count: UInt64, lifetime seconds: UInt64) -> [Moment] {
        (0..<count).map { number in
            .event(
                ChildSAInstalled(
                    session: .example, child: ChildID(number), inboundSPI: ESPSPI(1),
                    outboundSPI: ESPSPI(2), suite: "aes128gcm16",
                    lifetimeMilliseconds: seconds * 1_000),
                at: 0)
        }
    }

    /// Each replaces a Child SA that nobody told us of.
    private static func rekeys(_ count: Int, every gap: Double, from start: Double) -> [Moment] {
        (0..<count).map { number in
            .event(ChildSARekeyed.example, at: start + gap * Double(number))
        }
    }

    private static func closed(_ number: Int, at seconds: Double) -> Moment {
        .event(
            ChildSAClosed(
                session: .example, child: ChildID(UInt64(number)), reason: .sessionClosed,
                total: Traffic()),
            at: seconds)
    }
}
