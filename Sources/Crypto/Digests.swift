import COpenSSL

/// SHA-1, 20 bytes. For NAT detection (RFC 7296 §2.23), where nothing depends on its strength.
package func sha1(_ data: [UInt8]) -> [UInt8] { digest(Algorithms.sha1, count: 20, data) }

/// SHA-256, 32 bytes.
package func sha256(_ data: [UInt8]) -> [UInt8] { digest(Algorithms.sha256, count: 32, data) }

/// MD5, 16 bytes, of data and then a secret: what RADIUS authenticates packets by (RFC 2865 §3).
package func md5(_ data: [UInt8], followedBy secret: borrowing SecretBytes) -> [UInt8] {
    SecretBytes(copying: data).appending(secret).withBytes { bytes in
        bytes.withUnsafeBufferPointer { buffer in
            var output = [UInt8](repeating: 0, count: 16)
            let done = EVP_Digest(
                buffer.baseAddress, buffer.count, &output, nil, Algorithms.md5, nil)
            precondition(done == 1, "OpenSSL could not compute a digest; is there no memory left?")
            return output
        }
    }
}

/// HMAC-MD5, 16 bytes, for RADIUS (RFC 3579 §3.2).
package func hmacMD5(key: borrowing SecretBytes, _ data: [UInt8]) -> [UInt8] {
    guard let context = EVP_MAC_CTX_dup(Algorithms.hmacMD5) else {
        preconditionFailure("OpenSSL could not compute an HMAC; is there no memory left?")
    }
    defer { EVP_MAC_CTX_free(context) }
    var output = [UInt8](repeating: 0, count: 16)
    var written = 0
    let keyed = key.withBytes { bytes in
        bytes.withUnsafeBufferPointer { weir_hmac_key(context, $0.baseAddress, $0.count) }
    }
    let done =
        keyed == 1 && EVP_MAC_update(context, data, data.count) == 1
        && EVP_MAC_final(context, &output, &written, output.count) == 1 && written == 16
    precondition(done, "OpenSSL could not compute an HMAC; is there no memory left?")
    return output
}

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
