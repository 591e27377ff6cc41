import Crypto
import Vocabulary
import Wire

// IKE messages longer than the path takes, in several datagrams (RFC 7383).

/// What was inside an Encrypted payload.
struct ReceivedContents {
    /// A chain of payloads, or a part of one.
    var contents: [UInt8]
    /// The type of the first payload in it.
    let first: PayloadType
    /// As it came; of several fragments the first.
    let datagram: [UInt8]
}

/// The fragments of one message, as far as they have come. All are authentic.
struct Reassembly {
    /// Fragments of one message, and bytes in all of them: more than any sane message has.
    static let fragmentLimit: UInt16 = 128
    static let byteLimit = 65_535

    let messageID: UInt32
    let isResponse: Bool
    let total: UInt16
    private(set) var parts: [UInt16: [UInt8]] = [:]
    private(set) var bytes = 0
    private var first: ReceivedContents?

    init(_ header: Header, total: UInt16) {
        messageID = header.messageID
        isResponse = header.isResponse
        self.total = total
    }

    func has(_ number: UInt16) -> Bool { parts[number] != nil }

    mutating func add(_ part: ReceivedContents, number: UInt16) {
        parts[number] = part.contents
        bytes += part.contents.count
        if number == 1 { first = part }
    }

    /// nil while parts are missing.
    var whole: ReceivedContents? {
        guard parts.count == Int(total), var whole = first else { return nil }
        whole.contents = (1...total).flatMap { parts[$0] ?? [] }
        return whole
    }
}

extension Engine {
    /// Adds an authentic fragment to what there is of its message (RFC 7383 §2.6).
    ///
    /// - Returns: the message, once it is whole.
    func assemble(
        _ part: ReceivedContents, _ fragment: Fragment, _ header: Header, of sa: IKESA,
        on path: Path, at now: Instant, _ output: inout Output
    ) -> ReceivedContents? {
        fragmentsReceived += 1
        guard fragment.total > 1 else { return part }
        guard fragment.total <= Reassembly.fragmentLimit else {
            output.drop(.fragmentLimit, sa.proof, from: path)
            return nil
        }
        if let before = sa.reassembly,
            before.messageID != header.messageID
                || before.isResponse != header.isResponse || before.total < fragment.total
        {
            // Another message, or the same cut smaller: the peer has learned the path's limit.
            discardFragments(of: sa)
        }
        var reassembly = sa.reassembly ?? Reassembly(header, total: fragment.total)
        guard reassembly.total == fragment.total, !reassembly.has(fragment.number) else {
            output.drop(.fragment, sa.proof, from: path)
            return nil
        }
        guard reassembly.bytes + part.contents.count <= Reassembly.byteLimit,
            reassemblyBytes + part.contents.count <= policy.reassemblyLimit
        else {
            output.drop(.fragmentLimit, sa.proof, from: path)
            return nil
        }
        reassembly.add(part, number: fragment.number)
        reassemblyBytes += part.contents.count
        sa.reassembly = reassembly
        if sa.timers[.fragments] == nil {
            sa.timers[.fragments] = now + policy.timing.reassembly
        }
        return reassembly.whole
    }

    /// Lets go of fragments, because their message is whole or never will be.
    func discardFragments(of sa: IKESA) {
        guard let reassembly = sa.reassembly else { return }
        reassemblyBytes -= reassembly.bytes
        sa.reassembly = nil
        sa.timers[.fragments] = nil
    }

    func giveUpFragments(of sa: IKESA, _ output: inout Output) {
        discardFragments(of: sa)
        output.drop(.fragmentTimeout, sa.proof, from: sa.path)
    }

    /// Cuts a message's contents into what the path takes; one part without a number if it fits,
    /// or the peer can't do fragments.
    func parts(
        of contents: [UInt8], for sa: IKESA, on path: Path
    ) -> [(part: [UInt8], fragment: Fragment?)] {
        let ipHeader = path.remote.address.isIPv4 ? 20 : 40
        let room = policy.fragmentSize - ipHeader - 8 - (path.encapsulated ? 4 : 0)
        let overhead = Message.overhead(
            ivLength: sa.suite.aead.ivLength, tagLength: sa.suite.aead.tagLength)
        guard sa.extensions.fragmentation, contents.count + overhead > room else {
            return [(contents, nil)]
        }
        let size = max(room - overhead - Fragment.length, 64)
        let starts = Array(stride(from: 0, to: contents.count, by: size))
        // A message is at most 64 KiB or so, by the lengths of its payloads.
        let total = UInt16(clamping: starts.count)
        fragmentsSent += UInt64(total)
        return starts.enumerated().map { index, start in
            (
                Array(contents[start..<min(start + size, contents.count)]),
                Fragment(number: UInt16(clamping: index + 1), total: total)
            )
        }
    }
}
