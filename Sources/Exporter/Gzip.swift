import CZlib

/// Compresses as gzip (RFC 1952).
///
/// - Returns: nil if that failed or saved nothing.
func gzip(_ bytes: [UInt8]) -> [UInt8]? {
    guard bytes.count > 64 else { return nil }
    let compressed = [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, count in
        count = bytes.withUnsafeBytes {
            weir_gzip($0.baseAddress, $0.count, buffer.baseAddress, buffer.count)
        }
    }
    return compressed.isEmpty ? nil : compressed
}
