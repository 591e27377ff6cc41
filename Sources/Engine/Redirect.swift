package import Vocabulary
import Wire

/// Another gateway, as a REDIRECT names it (RFC 5685 §9).
package enum RedirectTarget: Hashable, Sendable, CustomStringConvertible {
    case address(IPAddress)
    /// A fully qualified domain name.
    case name(String)

    /// Reads an address, or a domain name of letters, digits, dots and hyphens.
    package init?(_ text: String) {
        if let address = IPAddress(text) {
            self = .address(address)
            return
        }
        guard text.utf8.count <= 253, text.utf8.allSatisfy(isNameByte) else { return nil }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.allSatisfy({ (1...63).contains($0.utf8.count) }),
            labels.last?.contains(where: \.isLetter) ?? false
        else { return nil }
        self = .name(text)
    }

    package var description: String {
        switch self {
        case .address(let address): address.description
        case .name(let name): name
        }
    }

    /// REDIRECT, whose data end with the nonce of an IKE_SA_INIT request: that shows that the
    /// answer comes from somebody who saw it.
    func redirect(nonce: [UInt8] = []) -> NotifyPayload {
        NotifyPayload(.redirect, data: bytes + nonce)
    }

    /// REDIRECTED_FROM: what a client tells the gateway to which it was sent.
    var redirectedFrom: NotifyPayload { NotifyPayload(.redirectedFrom, data: bytes) }

    /// The kind of name, its length, and the name.
    private var bytes: [UInt8] {
        let (kind, name): (UInt8, [UInt8]) =
            switch self {
            case .address(let address): (address.isIPv4 ? 1 : 2, address.bytes)
            case .name(let name): (3, Array(name.utf8))
            }
        return [kind, UInt8(truncatingIfNeeded: name.count)] + name
    }

    /// Reads a REDIRECT.
    ///
    /// - Returns: the nonce is what follows the name; nil if there is no name that we understand.
    static func parse(_ notify: NotifyPayload) -> (target: Self, nonce: [UInt8])? {
        guard notify.data.count >= 2 else { return nil }
        let name = Array(notify.data.dropFirst(2).prefix(Int(notify.data[1])))
        guard name.count == Int(notify.data[1]) else { return nil }
        let nonce = Array(notify.data.dropFirst(2 + name.count))
        switch (notify.data[0], name.count) {
        case (1, 4), (2, 16): return IPAddress(name).map { (.address($0), nonce) }
        case (3, _):
            guard let text = String(validating: name, as: UTF8.self), let target = Self(text),
                case .name = target
            else { return nil }
            return (target, nonce)
        default: return nil
        }
    }
}

private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"):
        true
    default: false
    }
}

/// What a login of ours needs in order to follow a REDIRECT. The login and the session that comes
/// of it share one.
final class RedirectTrail {
    /// A client that is sent on more often in this time has met a loop (RFC 5685 §7).
    static let limit = 5
    static let period = Duration.seconds(300)

    let policy: ClientPolicy
    private(set) var path: Path
    private(set) var natPath: Path
    /// Who sent us here.
    private(set) var origin: RedirectTarget?
    private var followed: [Instant] = []

    init(_ policy: ClientPolicy, path: Path, natPath: Path) {
        self.policy = policy
        self.path = path
        self.natPath = natPath
    }

    /// Turns to another gateway.
    ///
    /// - Returns: false if that would be a loop, or our socket's family does not reach it.
    func turn(to address: IPAddress, at now: Instant) -> Bool {
        followed.removeAll { now - $0 >= Self.period }
        guard followed.count < Self.limit, address.isIPv4 == path.local.address.isIPv4 else {
            return false
        }
        followed.append(now)
        origin = .address(path.remote.address)
        path.remote = Endpoint(address, path.remote.port)
        natPath.remote = Endpoint(address, natPath.remote.port)
        return true
    }
}

extension Engine {
    /// A client of ours is sent to another gateway in a session that is up (RFC 5685 §5): it says
    /// goodbye, and logs in there.
    func followRedirect(
        _ target: RedirectTarget, _ session: Session, of sa: IKESA, at now: Instant,
        _ output: inout Output
    ) {
        guard let handle = session.handle, let trail = session.trail else { return }
        if case .address(let address) = target {
            guard trail.turn(to: address, at: now) else { return }
            session.handle = nil
        }
        output.notices.append(.redirected(handle, target))
        end(sa, .drained, tellingPeer: true, at: now, &output)
        guard session.handle == nil else { return }
        if !begin(handle, trail, at: now, &output) {
            output.notices.append(.failed(handle, .redirected))
        }
    }

    /// A login of ours is sent elsewhere instead of being answered, or answered with AUTH (RFC
    /// 5685 §3, §6). Names are for the driver to look up.
    func followRedirect(
        _ target: RedirectTarget, _ handle: ConnectionHandle, _ trail: RedirectTrail,
        at now: Instant, _ output: inout Output
    ) {
        output.notices.append(.redirected(handle, target))
        guard case .address(let address) = target, trail.turn(to: address, at: now),
            begin(handle, trail, at: now, &output)
        else { return output.notices.append(.failed(handle, .redirected)) }
    }

    /// The gateway has proved itself, and sends us to another (RFC 5685 §6).
    func leave(
        _ sa: IKESA, _ handshake: ClientHandshake, for redirect: NotifyPayload, at now: Instant,
        _ output: inout Output
    ) {
        guard handshake.policy.followsRedirects,
            let (target, _) = RedirectTarget.parse(redirect)
        else { return fail(sa, handshake, .redirected, &output) }
        inboundSPIs.remove(handshake.childSPI)
        sa.phase = .established
        end(sa, .drained, tellingPeer: true, at: now, &output)
        followRedirect(target, handshake.handle, handshake.trail, at: now, &output)
    }
}
