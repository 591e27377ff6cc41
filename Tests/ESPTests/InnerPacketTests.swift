import Testing
import Vocabulary

@testable import ESP

@Suite("Inner packets")
struct InnerPacketTests {
    func parse(_ bytes: [UInt8]) -> InnerPacket? { InnerPacket(bytes.span) }

    @Test("IPv4 with ports; what comes after the packet is not of it")
    func ipv4() throws {
        let packet = try #require(parse(udp("10.9.0.1", "10.0.0.2", ports: (5, 6)) + [1, 2, 3]))
        #expect(packet.source == "10.9.0.1")
        #expect(packet.destination == "10.0.0.2")
        #expect(packet.protocolNumber == 17)
        #expect(packet.sourcePort == 5)
        #expect(packet.destinationPort == 6)
        #expect(packet.length == 33)
    }

    @Test("IPv4 options come before the ports")
    func options() throws {
        var bytes = udp("10.9.0.1", "10.0.0.2", ports: (5, 6))
        bytes.insert(contentsOf: [1, 1, 1, 1], at: 20)
        bytes[0] = 0x46
        bytes[3] += 4
        #expect(try #require(parse(bytes)).destinationPort == 6)
    }

    @Test("later fragments have no ports")
    func fragments() throws {
        var bytes = udp("10.9.0.1", "10.0.0.2")
        bytes[6] = 0x20  // the first: more fragments
        #expect(try #require(parse(bytes)).sourcePort == 1000)
        bytes[7] = 1
        let later = try #require(parse(bytes))
        #expect(later.sourcePort == nil && later.destinationPort == nil)
        #expect(later.protocolNumber == 17)
    }

    @Test("ICMP has a type and a code")
    func icmp() throws {
        var bytes = udp("10.9.0.1", "10.0.0.2", protocolNumber: 1)
        bytes[20] = 8
        bytes[21] = 3
        let packet = try #require(parse(bytes))
        #expect(packet.sourcePort == 0x0803 && packet.destinationPort == 0x0803)
    }

    @Test("protocols without ports have none")
    func noPorts() throws {
        let packet = try #require(parse(udp("10.9.0.1", "10.0.0.2", protocolNumber: 47)))
        #expect(packet.sourcePort == nil && packet.destinationPort == nil)
    }

    static let ports: [UInt8] = [0, 5, 0, 6]

    @Test(
        "IPv6 with extension headers",
        arguments: [
            (17, ports, 17, 6),
            (60, [17, 0] + [UInt8](repeating: 0, count: 6) + ports, 17, 6),
            (
                0, [43, 1] + [UInt8](repeating: 0, count: 14) + [6, 0, 0, 0, 0, 0, 0, 0] + ports, 6,
                6
            ),
            (44, [17, 0, 0, 1, 0, 0, 0, 0] + ports, 17, 6),
            (44, [17, 0, 0, 8, 0, 0, 0, 0] + ports, 17, nil),
            (59, [], 59, nil),
            (17, [0, 5], 17, nil),
        ] as [(UInt8, [UInt8], UInt8, UInt16?)])
    func extensions(
        _ first: UInt8, _ rest: [UInt8], _ protocolNumber: UInt8, _ port: UInt16?
    ) throws {
        let bytes = ipv6("2001:db8::1", "2001:db8:1::2", nextHeader: first, rest)
        let packet = try #require(parse(bytes))
        #expect(packet.source == "2001:db8::1")
        #expect(packet.destination == "2001:db8:1::2")
        #expect(packet.protocolNumber == protocolNumber)
        #expect(packet.destinationPort == port)
        #expect(packet.length == bytes.count)
    }

    @Test("an IPv6 packet never has an IPv4 address")
    func mapped() throws {
        var bytes = ipv6("::1", "::2", nextHeader: 59, [])
        bytes.replaceSubrange(
            8..<24, with: [UInt8](repeating: 0, count: 10) + [255, 255, 10, 9, 0, 1])
        #expect(try #require(parse(bytes)).source.isIPv4 == false)
    }

    @Test("refuses what is no packet")
    func refuses() {
        let good = udp("10.9.0.1", "10.0.0.2")
        let good6 = ipv6("::1", "::2", nextHeader: 17, Self.ports)
        let chain = [UInt8](repeating: 0, count: 8 * 8)
        let refused: [[UInt8]] = [
            [], [0x45],
            [0x55] + good.dropFirst(),  // version 5
            [0x44] + good.dropFirst(),  // header of 16 bytes
            [0x4f] + good.dropFirst(),  // header longer than the packet
            Array(good.dropLast()), Array(good6.dropLast()),
            Array(good[..<2]) + [0, 19] + good[4...],
            ipv6("::1", "::2", nextHeader: 60, [17, 1, 0, 0, 0, 0, 0, 0]),
            ipv6("::1", "::2", nextHeader: 44, [17, 0, 0, 0]),
            ipv6("::1", "::2", nextHeader: 0, chain),
        ]
        for bytes in refused { #expect(parse(bytes) == nil, "\(bytes)") }
        #expect(parse(good) != nil && parse(good6) != nil)
    }

    @Test("no truncation and no byte traps")
    func hostile() {
        let samples = [
            udp("10.9.0.1", "10.0.0.2"),
            ipv6(
                "::1", "::2", nextHeader: 0,
                [44, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 5]),
        ]
        var parsed = 0
        for sample in samples {
            for length in 0...sample.count {
                for index in 0..<length {
                    for value in [0, 1, 0x7f, 0xff] as [UInt8] {
                        var bytes = Array(sample[..<length])
                        bytes[index] = value
                        if parse(bytes) != nil { parsed += 1 }
                    }
                }
            }
        }
        #expect(parsed > 0)
    }
}
