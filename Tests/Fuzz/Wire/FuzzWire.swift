// A datagram is refused, or means something that can be written and read again.

import Wire

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    // Most inputs have the wrong length; the reader is to see what is behind that check too.
    check(datagram: bytes)
    check(datagram: patchingLength(bytes))
    if let type = bytes.first {
        check(plaintext: Array(bytes.dropFirst()), first: PayloadType(rawValue: type))
    }
    return 0
}

private func check(datagram: [UInt8]) {
    guard let message = try? Message(parsing: datagram) else { return }
    switch message {
    case .plain(let header, let payloads):
        let again = Message.plain(header, payloads: payloads)
        guard case .plain(let second, payloads) = try? Message(parsing: again) else {
            fatalError("what was read can't be written: \(payloads)")
        }
        precondition(second == header || payloads.isEmpty, "the header changed")
    case .protected(let header, let sealed):
        precondition(
            sealed.range.lowerBound >= Header.length + 4
                && sealed.range.upperBound == datagram.count,
            "the Encrypted payload of \(header) is outside its datagram")
    }
}

private func check(plaintext: [UInt8], first: PayloadType) {
    guard let payloads = try? parseDecrypted(plaintext.span, first: first) else { return }
    let header = Header(
        initiatorSPI: 1, responderSPI: 2, exchange: .ikeAuth, fromInitiator: true,
        isResponse: false, messageID: 1)
    let (datagram, sealed) = Message.laidOut(header, payloads: payloads, iv: [], tagLength: 0)
    guard
        (try? parseDecrypted(datagram.span.extracting(sealed.range), first: sealed.first))
            == payloads
    else { fatalError("what was read can't be written: \(payloads)") }
}

private func patchingLength(_ datagram: [UInt8]) -> [UInt8] {
    guard datagram.count >= Header.length else { return datagram }
    var datagram = datagram
    datagram.patch(datagram.count >> 16, at: 24)
    datagram.patch(datagram.count & 0xffff, at: 26)
    return datagram
}
