import Encoding

/// Decoding never traps; and what decodes, encodes to something that decodes to the same. The
/// checksum is put right first, so that the fuzzer gets behind it.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    _ = try? Chunk(decoding: bytes)
    let sum = Checksum.crc32(bytes, count: bytes.count)
    for shift in [0, 8, 16, 24] as [UInt32] {
        bytes.append(UInt8(truncatingIfNeeded: sum >> shift))
    }
    guard let chunk = try? Chunk(decoding: bytes) else { return 0 }
    guard let again = try? chunk.encoded(), let back = try? Chunk(decoding: again) else {
        fatalError("a chunk that can't be encoded")
    }
    guard back.times == chunk.times, back.values == chunk.values, back.base == chunk.base,
        back.ends == chunk.ends
    else { fatalError("another chunk") }
    return 0
}
