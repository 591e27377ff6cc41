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
    /// Bytes of all messages of one source whose senders have not proved themselves: an IPv4
    /// address, or an IPv6 /64.
    static let sourceLimit = 4 * byteLimit

    let messageID: UInt32
    let isResponse: Bool
    let total: UInt16
    private(set) var parts: [UInt16: [UInt8]] = [:]
    private(set) var bytes = 0
    private var first: ReceivedContents?
    /// Where it comes from, if its sender has not proved itself.
    let stranger: IPAddress?

    init(_ header: Header, total: UInt16, stranger: IPAddress?) {
        messageID = header.messageID
        isResponse = header.isResponse
        self.total = total
        self.stranger = stranger
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

/// What all reassemblies hold, and which of them give way. A key exchange costs a peer little, so
/// that strangers can have as many as they like: they take nothing from peers that have proved
/// themselves, and little from each other.
struct ReassemblyBook {
    private(set) var bytes = 0
    private(set) var strangerBytes = 0
    private var bySource: [IPAddress: Int] = [:]
    /// Our SPIs of the IKE SAs of strangers that hold some, the oldest first. No more than may be
    /// half-open, or linger.
    private var strangers: [(spi: UInt64, source: IPAddress)] = []

    var isEmpty: Bool { bytes == 0 && bySource.isEmpty && strangers.isEmpty }

    /// Who must give way before a stranger from `source`, or with nil somebody proven, may hold
    /// `more` bytes; itself, perhaps.
    ///
    /// - Returns: nil if there is room, or nobody to give way.
    func victim(for more: Int, of source: IPAddress?, limit: Int) -> UInt64? {
        if let source {
            if (bySource[source] ?? 0) + more > Reassembly.sourceLimit {
                return strangers.first { $0.source == source }?.spi
            }
            if strangerBytes + more > limit / 2 { return strangers.first?.spi }
        }
        return bytes + more > limit ? strangers.first?.spi : nil
    }

    mutating func add(_ more: Int, of source: IPAddress?, spi: UInt64) {
        bytes += more
        guard let source else { return }
        strangerBytes += more
        bySource[source, default: 0] += more
        if !strangers.contains(where: { $0.spi == spi }) { strangers.append((spi, source)) }
    }

    mutating func remove(_ less: Int, of source: IPAddress?, spi: UInt64) {
        bytes -= less
        guard let source else { return }
        strangerBytes -= less
        let left = (bySource[source] ?? 0) - less
        bySource[source] = left > 0 ? left : nil
        strangers.removeAll { $0.spi == spi }
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
        var reassembly =
            sa.reassembly
            ?? Reassembly(
                header, total: fragment.total,
                stranger: sa.proof == .authenticated ? nil : path.remote.address.source)
        guard reassembly.total == fragment.total, !reassembly.has(fragment.number) else {
            output.drop(.fragment, sa.proof, from: path)
            return nil
        }
        let count = part.contents.count
        guard reassembly.bytes + count <= Reassembly.byteLimit,
            makeRoom(for: count, of: reassembly, sa, &output)
        else {
            output.drop(.fragmentLimit, sa.proof, from: path)
            return nil
        }
        reassembly.add(part, number: fragment.number)
        reassemblies.add(count, of: reassembly.stranger, spi: sa.localSPI)
        sa.reassembly = reassembly
        if sa.timers[.fragments] == nil {
            sa.timers[.fragments] = now + policy.timing.reassembly
        }
        return reassembly.whole
    }

    /// Has strangers give way to a fragment, the oldest first.
    ///
    /// - Returns: whether there is room for it now.
    private func makeRoom(
        for count: Int, of reassembly: Reassembly, _ sa: IKESA, _ output: inout Output
    ) -> Bool {
        let limit = policy.reassemblyLimit
        while let spi = reassemblies.victim(for: count, of: reassembly.stranger, limit: limit) {
            guard let victim = sas[spi], victim !== sa else { return false }
            discardFragments(of: victim)
            output.drop(.fragmentLimit, victim.proof, from: victim.path)
        }
        return reassemblies.bytes + count <= limit
    }

    /// Lets go of fragments, because their message is whole or never will be.
    func discardFragments(of sa: IKESA) {
        guard let reassembly = sa.reassembly else { return }
        reassemblies.remove(reassembly.bytes, of: reassembly.stranger, spi: sa.localSPI)
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
        let cipher = sa.suite.cipher
        let overhead = Message.overhead(
            ivLength: cipher.ivLength, blockLength: cipher.blockLength,
            tagLength: cipher.tagLength)
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
