import Vocabulary
import Wire

// What counts as weak, in this one place, and what is told of it.

extension Engine {
    /// Tells of an IKE SA of a session if it has a weak algorithm.
    func tellIfWeak(_ suite: IKESuite, of session: Session, _ output: inout Output) {
        guard let algorithm = suite.weakness else { return }
        output.events.append(
            WeakSuiteChosen(session: session.id, sa: .ike, algorithm: algorithm, suite: suite.name))
    }

    /// Tells of a Child SA of a session if it has a weak algorithm.
    func tellIfWeak(_ suite: ESPSuite, of session: Session, _ output: inout Output) {
        guard let algorithm = suite.weakness else { return }
        output.events.append(
            WeakSuiteChosen(
                session: session.id, sa: .child, algorithm: algorithm, suite: suite.name))
    }

    /// Tells of an offer that was refused if some of it could only have made a weak SA.
    func tellIfWeak(
        refused payloads: [AnyPayload], from source: IPAddress, _ output: inout Output
    ) {
        guard let offers = payloads.securityAssociation?.proposals,
            let algorithm = weakest(of: offers)
        else { return }
        let sa: SAKind = offers.contains { $0.protocolID == .ike } ? .ike : .child
        output.events.append(WeakSuiteRefused(sa: sa, algorithm: algorithm, source: source))
    }
}

extension Transform {
    /// nil for an algorithm that is good enough, and for those that we don't know.
    var weakness: WeakAlgorithm? {
        switch (type, id) {
        case (.encryption, TransformID.null): .null
        case (.encryption, TransformID.des): .des
        case (.encryption, TransformID.tripleDES): .tripleDES
        case (.encryption, TransformID.aesCBC): .aesCBC
        case (.encryption, TransformID.aesCTR): .aesCTR
        case (.prf, TransformID.prfHMACMD5), (.integrity, TransformID.hmacMD5): .md5
        case (.prf, TransformID.prfHMACSHA1), (.integrity, TransformID.hmacSHA1): .sha1
        case (.keyExchange, TransformID.modp768): .modp768
        case (.keyExchange, TransformID.modp1024): .modp1024
        case (.keyExchange, TransformID.modp1536): .modp1536
        case (.keyExchange, TransformID.modp2048): .modp2048
        case (.keyExchange, TransformID.modp1024s160), (.keyExchange, TransformID.modp2048s224),
            (.keyExchange, TransformID.modp2048s256):
            .rfc5114
        default: nil
        }
    }
}

extension Proposal {
    /// The worst algorithm that an SA by this proposal would have at the least: of each type the
    /// best choice counts. nil if none would be weak.
    fileprivate var weakness: WeakAlgorithm? {
        var best: [TransformType: Int] = [:]
        for transform in transforms {
            best[transform.type] = max(best[transform.type] ?? 0, transform.weakness.strength)
        }
        return best.values.min().flatMap { strength in
            WeakAlgorithm.allCases.indices.contains(strength)
                ? WeakAlgorithm.allCases[strength] : nil
        }
    }
}

extension WeakAlgorithm? {
    /// Its place in the list that begins with the worst; all that is not weak comes last.
    fileprivate var strength: Int {
        flatMap { WeakAlgorithm.allCases.firstIndex(of: $0) } ?? WeakAlgorithm.allCases.count
    }
}

/// The worst that one of some proposals could only lead to; nil if each can lead to something good.
func weakest(of offers: [Proposal]) -> WeakAlgorithm? {
    worst(of: offers.compactMap(\.weakness))
}

/// The worst algorithm of an SA that has all of these.
private func weakest(of transforms: [Transform]) -> WeakAlgorithm? {
    worst(of: transforms.compactMap(\.weakness))
}

private func worst(of algorithms: [WeakAlgorithm]) -> WeakAlgorithm? {
    algorithms.min { Optional($0).strength < Optional($1).strength }
}

extension IKESuite {
    /// Its weakest algorithm, if that is weak.
    var weakness: WeakAlgorithm? { weakest(of: transforms) }
}

extension ESPSuite {
    var weakness: WeakAlgorithm? { weakest(of: transforms(withGroup: true)) }
}
