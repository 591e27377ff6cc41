import Foundation
import TestKit
import Testing
import Vocabulary

/// Random things happen to a gateway and its clients on a bad network; whenever it is quiet, both
/// are as the model has them.
@Suite("The reference model")
struct ModelTests {
    private static let environment = ProcessInfo.processInfo.environment
    /// `WEIR_WALKS` asks for another number.
    static let count = environment["WEIR_WALKS"].flatMap { Int($0) } ?? 10_000
    static let parts = 20
    /// `WEIR_SEED` replays one walk, and says what it does.
    static let replay = environment["WEIR_SEED"].flatMap { UInt64($0) }

    @Test("agrees with the engine at every quiet point", arguments: 0..<parts)
    func walks(_ part: Int) {
        if let replay = Self.replay {
            guard part == 0 else { return }
            let walk = ModelWalk(seed: replay)
            for line in walk.run(telling: true) { Issue.record("\(line)") }
            return
        }
        for seed in stride(from: part, to: Self.count, by: Self.parts) {
            let faults = ModelWalk(seed: UInt64(seed)).run(telling: false)
            if !faults.isEmpty {
                Issue.record("WEIR_SEED=\(seed): \(faults.joined(separator: "; "))")
            }
        }
    }

    @Test("is put to the test by everything that can happen")
    func coverage() {
        var seen: Set<String> = []
        for seed in 0..<60 as Range<UInt64> {
            let walk = ModelWalk(seed: seed)
            _ = walk.run(telling: false)
            seen.formUnion(walk.pair.events.map(\.kind))
            seen.formUnion(walk.done.map { "\($0)" })
        }
        let operations = ModelWalk.Operation.allCases.map { "\($0)" }
        let kinds = [
            "session_closed", "ike_auth_failed", "child_sa_rekeyed", "ike_sa_rekeyed",
            "rekey_collision", "create_child_sa_refused", "address_changed", "peer_dead",
            "message_dropped", "ticket_issued", "ticket_refused",
        ]
        for name in operations + kinds { #expect(seen.contains(name), "\(name) never came") }
    }
}
