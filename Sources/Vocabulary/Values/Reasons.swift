// Reasons are closed: each is a label in Prometheus and a word in a table. Where the RFC has a
// notify for it, the word is the notify's name.

/// Why an IKE_SA_INIT was refused.
package enum InitRejection: String, Label {
    case noProposalChosen = "no_proposal_chosen"
    /// Our own group was asked for instead; the peer comes again (RFC 7296 §1.2).
    case invalidKEPayload = "invalid_ke_payload"
    case invalidMajorVersion = "invalid_major_version"
    case invalidSyntax = "invalid_syntax"
    case unsupportedCriticalPayload = "unsupported_critical_payload"
    case halfOpenLimit = "half_open_limit"
    /// Too many of one source.
    case halfOpenSourceLimit = "half_open_source_limit"
    /// Too many key exchanges in too short a time.
    case keyExchangeLimit = "key_exchange_limit"
    /// The same, of one source.
    case keyExchangeSourceLimit = "key_exchange_source_limit"
    /// The gateway drains, and the peer was sent to another (REDIRECT, RFC 5685 §3).
    case redirected
    /// The gateway drains, and the peer can't be sent elsewhere.
    case draining
}

/// Why a stranger must prove its address before it is served (RFC 7296 §2.6).
package enum CookieCause: String, Label {
    /// Many IKE SAs are half-open.
    case halfOpen = "half_open"
    /// Many of one source are.
    case halfOpenSource = "half_open_source"
    /// Many key exchanges were computed for strangers, in all or for one source.
    case keyExchanges = "key_exchanges"
    /// The answer would be longer than the request.
    case amplification
    /// The cookie that it returned is none of ours, or too old.
    case invalid
}

/// Why an IKE_AUTH did not end in a session.
package enum AuthFailure: String, Label {
    /// No connection accepts this identity.
    case unknownIdentity = "unknown_identity"
    /// The AUTH payload is not what our secret makes: a wrong PSK.
    case wrongCredential = "wrong_credential"
    /// The peer wants to prove itself by a method that the connection does not take.
    case methodNotAllowed = "method_not_allowed"
    /// A payload was missing or senseless.
    case invalidSyntax = "invalid_syntax"
    case noProposalChosen = "no_proposal_chosen"
    case tsUnacceptable = "ts_unacceptable"
    /// No free address (INTERNAL_ADDRESS_FAILURE).
    case internalAddressFailure = "internal_address_failure"
    case failedCPRequired = "failed_cp_required"
    case sessionLimit = "session_limit"
    /// The connection has as many sessions as it may have, or this user has.
    case connectionLimit = "connection_limit"
    case userLimit = "user_limit"
    /// The connection keeps the session that this user has.
    case alreadyConnected = "already_connected"
    case unsupportedCriticalPayload = "unsupported_critical_payload"
    /// The peer allows no NAT on its path and there is one (UNEXPECTED_NAT_DETECTED, RFC 4555).
    case unexpectedNAT = "unexpected_nat_detected"
    /// The ticket was used by somebody else, or revoked, since it was shown.
    case ticketRefused = "ticket_refused"
    /// IKE_SA_INIT was answered and no valid IKE_AUTH came in time.
    case timeout
    /// The gateway drains, and the peer was sent to another (REDIRECT, RFC 5685 §6).
    case redirected
    /// The gateway drains, and the peer can't be sent elsewhere.
    case draining
    /// The gateway stopped before the login was through.
    case shutdown
    /// IKE_SA_INIT was answered, and what came then did not decrypt, again and again.
    case invalidMessages = "invalid_messages"
    /// The peer gave up: it told us so with AUTHENTICATION_FAILED.
    case peerRefusedUs = "peer_refused_us"
}

package enum AuthMethod: String, Label {
    case psk
    /// Unknown: the exchange ended before the peer said.
    case unknown
}

/// Why a ticket did not bring its session back (RFC 5723).
package enum TicketRefusal: String, Label {
    /// No ticket of ours at all, or a payload is missing.
    case malformed
    /// Sealed under a key that we no longer have, or never had.
    case unknownKey = "unknown_key"
    /// Under the name of a key of ours, but not by us.
    case forged
    case expired
    /// It has brought a session back before.
    case used
    /// Its session was ended on purpose, by its user or by us.
    case revoked
    /// The IKE SA that it was issued on was rekeyed.
    case rekeyed
    /// So many tickets were used since it was issued that we can't tell whether it was.
    case forgotten
    /// The connection is not configured any more, or has another name for us.
    case noConnection = "no_connection"
    /// The connection does not take this identity any more.
    case unknownIdentity = "unknown_identity"
    /// The connection does not take these algorithms any more.
    case noProposalChosen = "no_proposal_chosen"
    case unsupportedCriticalPayload = "unsupported_critical_payload"
    case halfOpenLimit = "half_open_limit"
    case halfOpenSourceLimit = "half_open_source_limit"
    /// Nobody new is let in.
    case draining
}

/// How much a source address has proved.
package enum ProofLevel: String, Label {
    /// Nothing: the source may be spoofed.
    case spoofable
    /// Returned a cookie.
    case cookie
    /// Completed a Diffie-Hellman: it reads what we send there.
    case keyExchange = "key_exchange"
    /// Named an identity that we know.
    case identity
    case authenticated
}

/// The same, as far as an IKE_SA_INIT request can prove it (RFC 7296 §2.6).
package enum InitProof: String, Label {
    case spoofable
    /// It came with a cookie of ours.
    case cookie

    package var level: ProofLevel {
        switch self {
        case .spoofable: .spoofable
        case .cookie: .cookie
        }
    }
}

package enum SessionEnd: String, Label {
    case deletedByPeer = "deleted_by_peer"
    case deletedByAdmin = "deleted_by_admin"
    case replaced
    /// Another login needed its place.
    case evicted
    case peerDead = "peer_dead"
    case lifetimeOver = "lifetime_over"
    /// The user did not prove itself again in time (RFC 4478).
    case authLifetimeOver = "auth_lifetime_over"
    case shutdown
    /// Asked to leave, or still there at the end of a drain.
    case drained
    case protocolError = "protocol_error"
    /// Inferred at the next start; how late is uncertain.
    case crash
}

package enum ChildEnd: String, Label {
    case rekeyed
    /// Both sides rekeyed at once; the other's successor stayed (RFC 7296 §2.8.1).
    case redundant
    case deletedByPeer = "deleted_by_peer"
    case deletedByAdmin = "deleted_by_admin"
    case sessionClosed = "session_closed"
    case lifetimeOver = "lifetime_over"
    case crash
}

package enum IKESAEnd: String, Label {
    case rekeyed
    case sessionClosed = "session_closed"
}

/// Algorithms that are not good enough to be chosen unasked, the worst first (RFC 8247).
package enum WeakAlgorithm: String, Label {
    /// ESP that does not encrypt.
    case null
    case des
    case modp768, modp1024
    case md5
    /// One of the three groups of RFC 5114: nobody can say how their primes were made.
    case rfc5114
    case modp1536
    case tripleDES = "3des"
    case sha1
    case modp2048
    case aesCBC = "aes_cbc"
    case aesCTR = "aes_ctr"

    /// Of what is on this list, Weir has these.
    package static let ours: [Self] = [.modp2048, .aesCBC, .aesCTR]
}

/// Why a CREATE_CHILD_SA request was refused.
package enum CreateChildRefusal: String, Label {
    case invalidSyntax = "invalid_syntax"
    case noProposalChosen = "no_proposal_chosen"
    /// The other group was asked for; the request comes again.
    case invalidKEPayload = "invalid_ke_payload"
    case singlePairRequired = "single_pair_required"
    case noAdditionalSAs = "no_additional_sas"
    case failedCPRequired = "failed_cp_required"
    case tsUnacceptable = "ts_unacceptable"
    /// It collides with something that goes first (RFC 7296 §2.25).
    case temporaryFailure = "temporary_failure"
    /// The SA to be rekeyed is gone.
    case childSANotFound = "child_sa_not_found"
    case other
}

/// Which sort of SA.
package enum SAKind: String, Label {
    case ike, child
}

/// What a CREATE_CHILD_SA request asks for (RFC 7296 §1.3).
package enum CreateChildKind: String, Label {
    case newChild = "new_child"
    case childRekey = "child_rekey"
    case ikeRekey = "ike_rekey"
}

/// Who began.
package enum Initiator: String, Label {
    case us, peer
}

package enum AddressChangeCause: String, Label {
    /// Authenticated packets came from another address or port (RFC 7296 §2.23).
    case natRebinding = "nat_rebinding"
    case mobike
}

package enum AddressFamily: String, Label {
    case ipv4, ipv6
}

/// Where our NAT detection found a translator (RFC 7296 §2.23).
package enum NATSituation: String, Label {
    case none, peer, us, both
}

/// Why an IKE message had no effect.
package enum MessageDrop: String, Label {
    /// Too short, or a length or type that the RFC forbids.
    case malformed
    case unsupportedVersion = "unsupported_version"
    case unknownExchange = "unknown_exchange"
    /// No IKE SA has these SPIs.
    case unknownSPI = "unknown_spi"
    /// The integrity check failed.
    case integrity
    /// Not the next message id, and not a retransmission of the last.
    case messageID = "message_id"
    /// A response that nobody waits for.
    case unexpectedResponse = "unexpected_response"
    /// A message that this state does not take.
    case unexpectedMessage = "unexpected_message"
    /// Too many of these in too short a time.
    case rateLimit = "rate_limit"
    /// Longer than any message of its kind needs to be.
    case tooLong = "too_long"
    /// It waited longer than its sender does, or others that came later went before it.
    case stale
    /// Not answered: the answer would be longer, and the source may be spoofed.
    case amplification
    case unprotected
    /// A fragment that came before, or of a message that was cut into fewer (RFC 7383 §2.6).
    case fragment
    /// More fragments than are kept.
    case fragmentLimit = "fragment_limit"
    /// Fragments whose message never became whole.
    case fragmentTimeout = "fragment_timeout"
}

/// Why an ESP packet was not forwarded.
package enum ESPDrop: String, Label {
    case malformed
    case unknownSPI = "unknown_spi"
    case integrity
    case replay
    /// Decrypted to something outside the Child SA's traffic selectors.
    case selector
    /// For the outside, and no Child SA takes it.
    case noChildSA = "no_child_sa"
    case sequenceExhausted = "sequence_exhausted"
    /// Came before its Child SA was agreed on, as too many had.
    case earlyLimit = "early_limit"
    /// Came before its Child SA, which was then not agreed on.
    case earlyRefused = "early_refused"
    /// Longer than the tunnel takes and not to be fragmented; the sender is told.
    case tooBig = "too_big"
}

package enum HandshakeStage: String, Label {
    /// IKE_SA_INIT request in to response out: our own work.
    case initiation = "ike_sa_init"
    /// IKE_AUTH request in to response out: our own work.
    case authentication = "ike_auth"
    /// IKE_SA_INIT request in to IKE_AUTH response out: what the user waits for, less one trip.
    case total
}

/// What a legal hold covers.
package enum HoldScope: String, Label {
    /// Everything of a time.
    case time
    case session
    /// A user and the user's sessions.
    case identity
}

package enum StopCause: String, Label {
    case signal, failure
    case crash
}

package enum DrainEnd: String, Label {
    /// Nobody is left.
    case finished
    /// Users are let in again.
    case cancelled
}

/// Why a configuration that was read again is not followed.
package enum ReloadRefusal: String, Label {
    /// It has mistakes.
    case invalid
    /// Something changed that can't while the gateway runs.
    case needsRestart = "needs_restart"
    /// A pool would lose addresses that are lent.
    case inUse = "in_use"
    /// The gateway did not answer, or the kernel refused a route.
    case failed
}

package enum RuleID: String, Label {
    case authenticationFailures = "authentication_failures"
    case rekeyStorm = "rekey_storm"
}

package enum Severity: String, Label {
    case info, warning, critical
}
