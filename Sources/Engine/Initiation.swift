import Crypto
import Vocabulary
import Wire

/// A login of ours before the first answer.
struct Initiation {
    let handle: ConnectionHandle
    let trail: RedirectTrail
    let localSPI: UInt64
    /// Where it began: a redirect turns the trail elsewhere.
    let path: Path
    let natPath: Path
    var request: [UInt8]
    let nonce: [UInt8]
    let opening: Opening
    /// Once the gateway has asked for one; every later request bears it (RFC 7296 §2.6.1).
    let cookie: [UInt8]?
    let began: Instant
    var attempts = 0
    var wait: Duration
    var deadline: Instant
    /// INVALID_KE_PAYLOAD and COOKIE restart the exchange; not for ever (RFC 7296 §2.6).
    var restarts = 0

    /// What the keys will be made of.
    enum Opening {
        case keyExchange(PrivateKey)
        /// Of an older session (RFC 5723).
        case ticket(ResumptionTicket)
    }

    var exchange: ExchangeType {
        switch opening {
        case .keyExchange: .ikeSAInit
        case .ticket: .ikeSessionResume
        }
    }

    /// Whether an answer is a late copy of the one that our last request has followed: it asks for
    /// what that has, or is about a ticket that is not shown any more.
    func isBehindUs(_ header: Header, _ payloads: [AnyPayload]) -> Bool {
        if header.exchange != exchange { return true }
        if let wanted = payloads.notifies(.cookie).first { return wanted.data == cookie }
        guard case .keyExchange(let key) = opening,
            let wanted = payloads.notifies(.invalidKEPayload).first
        else { return false }
        return wanted.data.reduce(UInt16(0)) { $0 << 8 | UInt16($1) }
            == key.exchange.group.transformID
    }
}
