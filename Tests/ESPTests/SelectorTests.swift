import ESP
import Testing
import Vocabulary

@Suite("Selectors")
struct SelectorTests {
    @Test(
        "say what they are",
        arguments: [
            (Selector(prefix: "10.0.0.7", length: 24), "10.0.0.0/24"),
            (Selector(prefix: "10.0.0.7", length: 32), "10.0.0.7/32"),
            (.anyIPv4, "0.0.0.0/0"),
            (.anyIPv6, "::/0"),
            (Selector(prefix: "2001:db8::1", length: 64), "2001:db8::/64"),
            (Selector(prefix: "2001:db8::1", length: 128), "2001:db8::1/128"),
            (Selector(prefix: "10.0.0.7", length: 99), "10.0.0.7/32"),
            (Selector(prefix: "10.0.0.7", length: -1), "0.0.0.0/0"),
            (Selector(first: "10.0.0.1", last: "10.0.0.9"), "10.0.0.1-10.0.0.9"),
            (Selector(first: "10.0.0.1", last: "10.0.0.2"), "10.0.0.1-10.0.0.2"),
            (Selector(first: "10.0.0.2", last: "10.0.0.3"), "10.0.0.2/31"),
            (Selector(protocolNumber: 6, first: "10.0.0.0", last: "10.0.0.255"), "10.0.0.0/24[6]"),
            (
                Selector(protocolNumber: 17, ports: 53...53, first: "10.0.0.1", last: "10.0.0.1"),
                "10.0.0.1/32[17/53]"
            ),
            (
                Selector(protocolNumber: 6, ports: 1...9, first: "::1", last: "::1"),
                "::1/128[6/1-9]"
            ),
        ] as [(Selector?, String)])
    func description(_ selector: Selector?, _ text: String) throws {
        #expect(try #require(selector).description == text)
    }

    @Test("refuse what is no range")
    func refuses() {
        #expect(Selector(first: "10.0.0.2", last: "10.0.0.1") == nil)
        #expect(Selector(first: "10.0.0.2", last: "2001:db8::1") == nil)
        #expect(Selector(first: "::1", last: "255.0.0.0") == nil)
    }

    @Test("contain their ends and nothing beyond")
    func ends() throws {
        let range = try #require(Selector(first: "10.0.0.2", last: "10.0.1.5"))
        for (address, inside) in [
            ("10.0.0.1", false), ("10.0.0.2", true), ("10.0.1.5", true), ("10.0.1.6", false),
            ("::a00:2", false), ("255.255.255.255", false),
        ] as [(IPAddress, Bool)] {
            #expect(range.contains(address: address, protocol: 6, port: 1) == inside, "\(address)")
        }
        #expect(Selector.anyIPv4.contains(address: "255.255.255.255", protocol: 0, port: nil))
        #expect(!Selector.anyIPv4.contains(address: "::", protocol: 0, port: nil))
        #expect(Selector.anyIPv6.contains(address: "ffff::ffff", protocol: 255, port: 65_535))
    }

    @Test("mind protocols and ports")
    func protocols() throws {
        let web = try #require(
            Selector(protocolNumber: 6, ports: 80...443, first: "10.0.0.1", last: "10.0.0.1"))
        for (number, port, inside) in [
            (6, 80, true), (6, 443, true), (6, 79, false), (6, 444, false), (17, 80, false),
            (6, nil, false),
        ] as [(UInt8, UInt16?, Bool)] {
            #expect(web.contains(address: "10.0.0.1", protocol: number, port: port) == inside)
        }
        let anything = Selector(prefix: "10.0.0.1", length: 32)
        #expect(anything.contains(address: "10.0.0.1", protocol: 6, port: nil))
    }

    @Test("narrow to what both take")
    func intersection() throws {
        let network = Selector(prefix: "10.0.0.0", length: 8)
        let host = Selector(prefix: "10.9.0.1", length: 32)
        #expect(network.intersection(host) == host)
        #expect(host.intersection(network) == host)
        #expect(Selector.anyIPv4.intersection(.anyIPv6) == nil)
        #expect(host.intersection(Selector(prefix: "10.9.0.2", length: 32)) == nil)

        let low = try #require(
            Selector(protocolNumber: 6, ports: 1...100, first: "10.0.0.1", last: "10.0.0.9"))
        let high = try #require(
            Selector(ports: 50...200, first: "10.0.0.5", last: "10.0.0.20"))
        let both = Selector(
            protocolNumber: 6, ports: 50...100, first: "10.0.0.5", last: "10.0.0.9")
        #expect(low.intersection(high) == both)
        #expect(high.intersection(low) == both)

        let udp = try #require(Selector(protocolNumber: 17, first: "10.0.0.1", last: "10.0.0.9"))
        #expect(low.intersection(udp) == nil)
        let later = try #require(Selector(ports: 101...200, first: "10.0.0.1", last: "10.0.0.9"))
        #expect(low.intersection(later) == nil)
    }

    /// An intersection contains what both contain, and nothing else.
    @Test("intersections are what they are by definition")
    func property() {
        let addresses = (0..<4).map { IPAddress.v4(0x0a00_0000 + $0) }
        var selectors: [Selector] = []
        for (index, first) in addresses.enumerated() {
            for last in addresses[index...] {
                for number in [0, 6, 17] as [UInt8] {
                    for ports in [Selector.anyPort, 1...2, 2...3] {
                        if let selector = Selector(
                            protocolNumber: number, ports: ports, first: first, last: last)
                        {
                            selectors.append(selector)
                        }
                    }
                }
            }
        }
        var wrong = 0
        for left in selectors {
            for right in selectors {
                let both = left.intersection(right)
                for address in addresses {
                    for (number, port) in [(6, 1), (6, 2), (17, 3), (1, 2)] as [(UInt8, UInt16)] {
                        let expected =
                            left.contains(address: address, protocol: number, port: port)
                            && right.contains(address: address, protocol: number, port: port)
                        let actual =
                            both?.contains(address: address, protocol: number, port: port) ?? false
                        if actual != expected { wrong += 1 }
                    }
                }
            }
        }
        #expect(selectors.count == 90)
        #expect(wrong == 0)
    }
}
