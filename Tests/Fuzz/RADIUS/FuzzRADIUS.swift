// Bytes are refused, or mean a packet that is the same when it is written and read again; and a
// client takes none of them for an answer.

import Crypto
import RADIUS
import Vocabulary

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    check(bytes)
    // Most inputs have the wrong length; the reader is to see what is behind that check too.
    if bytes.count >= Packet.headLength {
        var patched = bytes
        patched[2] = UInt8(truncatingIfNeeded: bytes.count >> 8)
        patched[3] = UInt8(truncatingIfNeeded: bytes.count)
        check(patched)
    }
    return 0
}

private func check(_ bytes: [UInt8]) {
    let now = Instant(nanoseconds: 1)
    let key = SharedSecret(SecretBytes(copying: [1, 2, 3]))
    var client = Client(
        [Client.Server(name: "s", secret: key)],
        Client.Policy(timeout: .seconds(1), retries: 1, probe: .seconds(1)), nasIdentifier: "gw",
        random: SeededRandom(seed: 1), at: now)
    client.expire(at: now)
    client.receive(bytes, from: 0, at: now)
    precondition(!client.states.contains(where: \.isUp), "an answer without the secret")
    guard let packet = try? Packet(parsing: bytes) else { return }
    guard let written = try? packet.bytes(), (try? Packet(parsing: written)) == packet else {
        fatalError("what was read can't be written: \(packet)")
    }
    precondition(!packet.answers(Packet.zeroAuthenticator, key.bytes), "a forged answer")
}
