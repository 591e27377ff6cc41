import Testing

@testable import Gateway

/// Packets and answers were made by an independent program, from the RFCs.
@Suite("Echo network")
struct EchoNetworkTests {
    @Test(
        "answers",
        arguments: [
            (
                "ICMP echo",
                "4500002112344000210132ec0a5800010a6300010800f61f000700017765697221",
                "4500002112344000400113ec0a6300010a5800010000fe1f000700017765697221"
            ),
            (
                "UDP",
                "4500002112344000211132dc0a5800010a6300019c400007000d0d076761756765",
                "4500002112344000401113dc0a6300010a58000100079c40000d0d076761756765"
            ),
            (
                "UDP without a checksum",
                "4500002112344000211132dc0a5800010a6300019c400007000d00006761756765",
                "4500002112344000401113dc0a6300010a58000100079c40000d00006761756765"
            ),
            (
                "ICMPv6 echo",
                "60000000000d3a21fd000088000000000000000000000001fd000099000000000000000000000001"
                    + "800082b3000700017765697221",
                "60000000000d3a40fd000099000000000000000000000001fd000088000000000000000000000001"
                    + "810081b3000700017765697221"
            ),
            (
                "UDP over IPv6",
                "60000000000d1121fd000088000000000000000000000001fd000099000000000000000000000001"
                    + "9c400007000d269f6761756765",
                "60000000000d1140fd000099000000000000000000000001fd000088000000000000000000000001"
                    + "00079c40000d269f6761756765"
            ),
        ])
    func answers(_ example: (name: String, question: String, answer: String)) {
        let network = EchoNetwork()
        #expect(ask(network, bytes(hex: example.question)) == bytes(hex: example.answer))
        #expect(network.dropped == 0)
    }

    @Test(
        "drops and counts",
        arguments: [
            ("nothing", ""), ("a byte", "45"),
            ("a fragment", "4500002112342000210152ec0a5800010a6300010800f61f000700017765697221"),
            (
                "TCP",
                "4500002812344000210632e00a5800010a6300010000000000000000000000000000000000000000"
            ),
            (
                "an echo reply",
                "4500002112344000210132ec0a5800010a6300010000fe1f000700017765697221"
            ),
            ("multicast", "450000211234400021015d4e0a580001e00000010800f61f000700017765697221"),
            (
                "a damaged header",
                "4500002112344000210132ed0a5800010a6300010800f61f000700017765697221"
            ),
            (
                "a damaged body",
                "4500002112344000210132ec0a5800010a6300010800f61f000700017765697222"
            ),
            (
                "a length that is not the packet's",
                "4500002012344000210132ed0a5800010a6300010800f61f000700017765697221"
            ),
            (
                "an extension header",
                "60000000000d0021fd000088000000000000000000000001fd000099000000000000000000000001"
                    + "800082b3000700017765697221"
            ),
            ("version 5", "5500002112344000210132ec0a5800010a6300010800f61f000700017765697221"),
        ])
    func drops(_ example: (name: String, question: String)) {
        let network = EchoNetwork()
        #expect(ask(network, bytes(hex: example.question)) == nil)
        #expect(network.dropped == 1)
    }

    @Test("takes any bytes, of any length, without a trap")
    func anything() {
        var generator = SplitMix(state: 7)
        let network = EchoNetwork()
        for length in 0..<120 {
            for _ in 0..<40 {
                var packet = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
                if length > 9, length % 2 == 0 {
                    // Half of them look better than they are.
                    packet[0] = length % 4 == 0 ? 0x45 : 0x60
                    packet[9] = 17
                    packet[6] = length % 4 == 0 ? 0 : 17
                }
                _ = ask(network, packet)
            }
        }
        #expect(network.dropped > 4000)
    }

    @Test("keeps 128 answers, in order, and drops what comes beyond that")
    func bounded() {
        let network = EchoNetwork()
        let question = bytes(
            hex: "4500002112344000210132ec0a5800010a6300010800f61f000700017765697221")
        for _ in 0..<130 { write(network, question) }
        #expect(network.dropped == 2)
        var answers = 0
        while read(network) != nil { answers += 1 }
        #expect(answers == 128)
    }

    private func ask(_ network: EchoNetwork, _ packet: [UInt8]) -> [UInt8]? {
        write(network, packet)
        return read(network)
    }

    private func write(_ network: EchoNetwork, _ packet: [UInt8]) {
        var packet = packet
        packet.withUnsafeMutableBufferPointer { network.write($0) }
    }

    private func read(_ network: EchoNetwork) -> [UInt8]? {
        var room = [UInt8](repeating: 0, count: 2048)
        let outcome = room.withUnsafeMutableBufferPointer { network.read(into: $0) }
        guard case .packet(let count) = outcome else { return nil }
        return Array(room.prefix(count))
    }
}

/// Deterministic numbers (Steele, Lea, Flood 2014).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
