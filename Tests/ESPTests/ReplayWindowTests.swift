import Testing

@testable import ESP

@Suite("Replay window")
struct ReplayWindowTests {
    struct Step: Sendable {
        let number: UInt32
        let admitted: Bool
    }

    struct Script: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let steps: [Step]

        init(_ name: String, _ steps: [(UInt32, Bool)]) {
            testDescription = name
            self.steps = steps.map { Step(number: $0.0, admitted: $0.1) }
        }
    }

    static let size = ReplayWindow.size

    static let scripts: [Script] = [
        Script("zero is never sent", [(0, false), (1, true), (0, false)]),
        Script("in order, then again", [(1, true), (2, true), (1, false), (2, false), (3, true)]),
        Script(
            "out of order", [(9, true), (8, true), (7, true), (8, false), (1, true), (1, false)]),
        Script("first is not one", [(100, true), (1, true), (99, true), (100, false)]),
        Script("the oldest of the window", [(size, true), (1, true), (1, false)]),
        Script("older than the window", [(size + 1, true), (1, false), (2, true), (2, false)]),
        Script(
            "a word's end",
            [(63, true), (64, true), (65, true), (63, false), (64, false), (62, true)]),
        Script(
            "a jump of less than a word clears what it enters",
            [(1, true), (2048 + 1, true), (2048 + 1, false), (2048, true), (2048, false)]),
        Script(
            "a jump over the whole ring forgets all",
            [(5, true), (6, true), (100_000, true), (99_999, true), (100_000 - size, false)]
                + [(100_000 - size + 1, true), (100_000 - size + 1, false), (6, false)]),
        Script(
            "a jump by exactly the ring",
            [(10, true), (10 + 2048, true), (10 + 2048, false)]
                + [(10 + 2048 - size, false), (10 + 2048 - size + 1, true)]),
        Script(
            "the last number",
            [(.max, true), (.max, false), (.max - 1, true), (.max - 1, false)]
                + [(.max - size, false), (.max - size + 1, true), (1, false)]),
        Script("to the last number at once", [(1, true), (.max, true), (1, false), (.max, false)]),
    ]

    @Test("admits each number once", arguments: scripts)
    func script(_ script: Script) {
        var window = ReplayWindow()
        for step in script.steps {
            #expect(window.admits(step.number) == step.admitted, "\(step.number)")
            if window.admits(step.number) { window.mark(step.number) }
        }
    }

    @Test("is as wide as promised")
    func width() { #expect(ReplayWindow.size >= 1024) }

    /// The rule itself: admitted if never marked, and less than the window behind the newest.
    @Test("agrees with a set", arguments: 0..<8)
    func agreesWithASet(_ seed: Int) {
        var state = UInt64(seed &* 7919 &+ 1)
        func random(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var window = ReplayWindow()
        var marked: Set<UInt32> = []
        var newest: UInt32 = 0
        var disagreements: [UInt32] = []
        for _ in 0..<20_000 {
            let back = random(4) == 0 ? random(5000) : random(80)
            let ahead = random(200) == 0 ? random(5000) : random(60)
            let number = UInt32(clamping: Int64(newest) + Int64(ahead) - Int64(back))
            let expected =
                number > newest
                || (number > 0 && newest - number < Self.size && !marked.contains(number))
            if window.admits(number) != expected { disagreements.append(number) }
            // Some packets that are admitted turn out to be forged.
            guard expected, random(10) != 0 else { continue }
            window.mark(number)
            marked.insert(number)
            newest = max(newest, number)
        }
        #expect(disagreements.isEmpty)
        #expect(window.newest == newest)
    }
}
