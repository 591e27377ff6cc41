import Vocabulary

/// Text and bytes that claim to be addresses: no input traps, and what is read prints back.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzAddresses(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let text = String(decoding: bytes, as: UTF8.self)
    if let address = IPAddress(text) {
        precondition(IPAddress(address.description) == address)
    }
    return 0
}
