import COpenSSL

/// SHA-1, 20 bytes. For NAT detection (RFC 7296 §2.23), where nothing depends on its strength.
package func sha1(_ data: [UInt8]) -> [UInt8] { digest(Algorithms.sha1, count: 20, data) }

/// SHA-256, 32 bytes.
package func sha256(_ data: [UInt8]) -> [UInt8] { digest(Algorithms.sha256, count: 32, data) }

/// HMAC-SHA-256, 32 bytes, for pseudonyms and cookies. Can fail for want of memory only, and then
/// ends the process.
package func hmacSHA256(key: borrowing SecretBytes, _ data: [UInt8]) -> [UInt8] {
    guard let output = try? PRF.hmacSHA256.authenticator(key, data) else {
        preconditionFailure("OpenSSL could not compute an HMAC; is there no memory left?")
    }
    return output
}

private func digest(_ algorithm: OpaquePointer, count: Int, _ data: [UInt8]) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: count)
    let done = EVP_Digest(data, data.count, &output, nil, algorithm, nil)
    precondition(done == 1, "OpenSSL could not compute a digest; is there no memory left?")
    return output
}
