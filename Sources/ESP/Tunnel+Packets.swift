import Crypto
import Vocabulary

extension Tunnel {
    /// Opens one of the peer's packets, in the order of RFC 4303 §3.4: is it new, is it authentic,
    /// is it allowed.
    ///
    /// - Precondition: the packet is at least ``PacketLayout/shortestOfAll`` long.
    func open(
        _ packet: inout MutableSpan<UInt8>, from remote: Endpoint, at now: Instant
    ) -> Opened {
        guard let body = layout.body(count: packet.count) else {
            return .dropped(.malformed, session: session)
        }
        let number = packet.span.word32(at: 4)
        guard window.admits(number) else { return .dropped(.replay, session: session) }

        do throws(CryptoError) {
            try opener.open(
                &packet, aad: 0..<PacketLayout.aad,
                iv: PacketLayout.aad..<layout.headerLength, body: body)
        } catch {
            return .dropped(.integrity, session: session)
        }

        let isNewest = number > window.newest
        window.mark(number)
        lastInbound = now
        activateOutbound()  // the peer has this SA: RFC 7296 §2.8
        return deliver(packet.span, body, moved: isNewest && remote != path.remote ? remote : nil)
    }

    private func deliver(_ packet: Span<UInt8>, _ body: Range<Int>, moved: Endpoint?) -> Opened {
        let nextHeader = packet[body.upperBound - 1]
        guard nextHeader != PacketLayout.NextHeader.dummy else { return .dummy }

        let length = body.count - PacketLayout.trailerLength - Int(packet[body.upperBound - 2])
        guard length >= 0 else { return .dropped(.malformed, session: session) }
        let start = body.lowerBound
        guard let inner = InnerPacket(packet.extracting(start..<(start + length))),
            nextHeader == inner.nextHeader
        else { return .dropped(.malformed, session: session) }
        guard takesInbound(inner) else { return .dropped(.selector, session: session) }

        traffic.packetsIn &+= 1
        traffic.bytesIn &+= UInt64(inner.length)
        return .deliver(inner: start..<(start + inner.length), child: child, moved: moved)
    }

    /// Wraps an inner packet that starts at `start` into an ESP packet around it.
    func seal(
        _ buffer: inout MutableSpan<UInt8>, _ inner: InnerPacket, from start: Int
    ) -> Sealed {
        guard sequence < .max else { return .dropped(.sequenceExhausted, session: session) }
        // The number is used up even if sealing fails: an IV never comes twice.
        sequence += 1
        let header = start - layout.headerLength
        buffer.write(outboundSPI, at: header)
        buffer.write(sequence, at: header + 4)
        let end = writeTrailer(
            &buffer, inner.nextHeader, at: start + inner.length, from: start)

        do throws(CryptoError) {
            try sealer.seal(
                &buffer, aad: header..<(header + PacketLayout.aad), iv: UInt64(sequence),
                body: start..<end)
        } catch {
            return .dropped(.malformed, session: session)
        }
        traffic.packetsOut &+= 1
        traffic.bytesOut &+= UInt64(inner.length)
        return .transmit(
            packet: header..<(end + layout.tagLength), path: path, child: child)
    }

    /// Pads with 1, 2, 3… (RFC 4303 §2.4).
    ///
    /// - Returns: where the trailer ends.
    private func writeTrailer(
        _ buffer: inout MutableSpan<UInt8>, _ nextHeader: UInt8, at index: Int, from start: Int
    ) -> Int {
        let unaligned = (index - start + PacketLayout.trailerLength) % layout.alignment
        let padding = (layout.alignment - unaligned) % layout.alignment
        for offset in 0..<padding { buffer[index + offset] = UInt8(offset + 1) }
        buffer[index + padding] = UInt8(padding)
        buffer[index + padding + 1] = nextHeader
        return index + padding + PacketLayout.trailerLength
    }
}

extension InnerPacket {
    /// Of the ESP trailer (RFC 4303 §2.6).
    var nextHeader: UInt8 {
        source.isIPv4 ? PacketLayout.NextHeader.ipv4 : PacketLayout.NextHeader.ipv6
    }
}
