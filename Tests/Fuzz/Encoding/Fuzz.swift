import Encoding

/// Decoding never traps, of chunks and of sketches; and what decodes, encodes to something that
/// decodes to the same. The checksum is put right first, so that the fuzzer gets behind it.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    _ = try? Chunk(decoding: bytes)
    let sum = Checksum.crc32(bytes, count: bytes.count)
    for shift in [0, 8, 16, 24] as [UInt32] {
        bytes.append(UInt8(truncatingIfNeeded: sum >> shift))
    }
    fuzzSketch(bytes)
    guard let chunk = try? Chunk(decoding: bytes) else { return 0 }
    guard let again = try? chunk.encoded(), let back = try? Chunk(decoding: again) else {
        fatalError("a chunk that can't be encoded")
    }
    guard back.times == chunk.times, back.values == chunk.values, back.base == chunk.base,
        back.ends == chunk.ends
    else { fatalError("another chunk") }
    return 0
}

private func fuzzSketch(_ bytes: [UInt8]) {
    guard var sketch = try? Sketch(decoding: bytes) else { return }
    guard let back = try? Sketch(decoding: sketch.encoded), back == sketch else {
        fatalError("another sketch")
    }
    sketch.merge(back)
    guard let least = sketch.quantile(0), let most = sketch.quantile(1),
        let middle = sketch.quantile(0.5), least <= middle, middle <= most
    else {
        guard sketch.count == 0 else { fatalError("quantiles out of order") }
        return
    }
}
