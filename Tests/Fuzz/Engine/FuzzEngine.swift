// The input drives a gateway: each instruction is a byte, which says what comes, and its operands.
// A peer who knows the keys encrypts what the input says, so that the fuzzer need not break AES.

import ESP
import Engine
import TestKit
import Vocabulary
import Wire

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var machine = Machine(Array(UnsafeBufferPointer(start: start, count: count)))
    machine.run()
    return 0
}

/// One gateway, peers that know their keys, and a clock.
struct Machine {
    private var input: ArraySlice<UInt8>
    private let pair: Pair
    private var raw: RawClient
    private var seed: UInt64 = 1
    /// A ticket that the gateway has issued.
    private var ticket: [UInt8] = []
    private static let vault = try? TestVault([1, 2])

    init(_ bytes: [UInt8]) {
        input = bytes[...]
        var policy = EnginePolicy.example
        policy.resumption = Self.vault.map { ResumptionPolicy(vault: $0) }
        Self.vault?.with { $0 = TicketBook($0.keys) }
        policy.pools = [PoolPolicy(name: "rw", ipv4: AddressBlock(first: .v4(1), last: .v4(3)))]
        pair = Pair(policy)
        raw = RawClient(pair, seed: seed)
    }

    mutating func run() {
        for _ in 0..<64 {
            guard let instruction = input.popFirst() else { break }
            step(instruction)
            precondition(pair.gatewayPlane.count <= 3 * 8, "Child SAs without bound")
        }
        // Time takes everything away, and the books balance.
        pair.drive(for: .seconds(600))
        precondition(pair.gateway.isIdle, "the gateway holds something")
        precondition(pair.gatewayPlane.count == 0, "the data plane holds something")
        var open: Set<SessionID> = []
        for event in pair.events {
            switch event {
            case let event as SessionEstablished:
                precondition(open.insert(event.session.clear).inserted, "a session began twice")
            case let event as SessionClosed:
                precondition(open.remove(event.session.clear) != nil, "a session ended twice")
            default: break
            }
        }
        precondition(open.isEmpty, "a session never ended")
        precondition(count(of: "lease_granted") == count(of: "lease_released"), "a lease is held")
        precondition(
            count(of: "child_sa_installed") == count(of: "child_sa_closed"), "a Child SA is open")
    }

    private func count(of kind: String) -> Int { pair.events.count { $0.kind == kind } }

    private mutating func step(_ instruction: UInt8) {
        switch instruction % 8 {
        case 0: _ = raw.exchangeBytes(take())
        case 1: pair.drive(for: .milliseconds(Int(input.popFirst() ?? 0) * 250))
        case 2:
            seed += 1
            raw = RawClient(pair, seed: seed)
            _ = try? raw.initiate()
        case 3:
            if let payloads = try? raw.authPayloads() { _ = try? raw.ask(payloads, as: .ikeAuth) }
        case 4: _ = raw.exchangeBytes(raw.lastSent)
        case 5: if let bytes = pair.datagrams.last?.bytes { _ = raw.exchangeBytes(bytes) }
        case 7: if (input.popFirst() ?? 0) % 2 == 0 { askForTicket() } else { comeBack() }
        default:
            let exchange = ExchangeType(rawValue: 34 + (input.popFirst() ?? 0) % 5)
            _ = try? raw.ask(payloads(atMost: Int(instruction >> 4)), as: exchange)
        }
    }

    private mutating func askForTicket() {
        let asked = [AnyPayload.notify(NotifyPayload(.ticketRequest))]
        for case .notify(let notify) in (try? raw.ask(asked, as: .informational)) ?? []
        where notify.kind == .ticketLTOpaque {
            ticket = Array(notify.data.dropFirst(4))
        }
    }

    /// Shows the ticket, with a byte of it changed or not, and goes on as the answer allows.
    private mutating func comeBack() {
        var shown = ticket
        let (place, flip) = (Int(input.popFirst() ?? 0), input.popFirst() ?? 0)
        if shown.indices.contains(place) { shown[place] ^= flip }
        seed += 1
        let old = raw
        raw = RawClient(pair, seed: seed)
        guard (try? raw.resume(shown, of: old)) == true,
            let payloads = try? raw.resumedAuthPayloads()
        else { return }
        _ = try? raw.ask(
            payloads + [.notify(NotifyPayload(.ticketRequest))], as: .ikeAuth)
    }

    /// So many payloads, each with its type, flags and bytes out of the input.
    private mutating func payloads(atMost most: Int) -> [AnyPayload] {
        (0..<most).compactMap { _ in
            guard let type = input.popFirst(), type != 0 else { return nil }
            // The types end at 54; above is the critical bit.
            return .unknown(
                PayloadType(rawValue: type & 0x3f), critical: type & 0x80 != 0,
                OpaquePayload(take()))
        }.filter { $0.type != .none }
    }

    /// Bytes of the input, as many as its next byte says.
    private mutating func take() -> [UInt8] {
        let bytes = input.dropFirst().prefix(Int(input.first ?? 0))
        input = input.dropFirst(1 + bytes.count)
        return Array(bytes)
    }
}
