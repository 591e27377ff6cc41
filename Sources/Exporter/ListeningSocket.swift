import Glibc
import Vocabulary

/// Opens a TCP socket that listens. Ours rather than libmicrohttpd's, so that a failure has its
/// errno and port 0 has its answer.
///
/// - Returns: the descriptor, non-blocking and closed on exec, and the port it has.
func listen(on endpoint: Endpoint) throws(ServerError) -> (descriptor: Int32, port: UInt16) {
    let family = endpoint.address.isIPv4 ? AF_INET : AF_INET6
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(family, kind, 0)
    guard descriptor >= 0 else { throw ServerError(endpoint, errno: errno) }
    do throws(ServerError) {
        return (descriptor, try listen(descriptor, endpoint))
    } catch {
        close(descriptor)
        throw error
    }
}

private func listen(_ descriptor: Int32, _ endpoint: Endpoint) throws(ServerError) -> UInt16 {
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var storage = sockaddr_storage()
    var length = write(endpoint, to: &storage)
    let bound = withGeneric(&storage) { bind(descriptor, $0, length) }
    guard bound == 0, Glibc.listen(descriptor, 64) == 0,
        withGeneric(&storage, { getsockname(descriptor, $0, &length) }) == 0
    else { throw ServerError(endpoint, errno: errno) }
    return port(of: &storage)
}

/// - Returns: the length of the address within `storage`.
private func write(_ endpoint: Endpoint, to storage: inout sockaddr_storage) -> socklen_t {
    withUnsafeMutableBytes(of: &storage) { raw in
        if endpoint.address.isIPv4 {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = endpoint.port.bigEndian
            withUnsafeMutableBytes(of: &address.sin_addr) {
                $0.copyBytes(from: endpoint.address.bytes)
            }
            raw.storeBytes(of: address, as: sockaddr_in.self)
            return socklen_t(MemoryLayout<sockaddr_in>.size)
        }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = endpoint.port.bigEndian
        withUnsafeMutableBytes(of: &address.sin6_addr) {
            $0.copyBytes(from: endpoint.address.bytes)
        }
        raw.storeBytes(of: address, as: sockaddr_in6.self)
        return socklen_t(MemoryLayout<sockaddr_in6>.size)
    }
}

/// Both families have the port in the same place.
private func port(of storage: inout sockaddr_storage) -> UInt16 {
    withUnsafeBytes(of: &storage) {
        UInt16(bigEndian: $0.load(fromByteOffset: 2, as: UInt16.self))
    }
}

private func withGeneric<Result>(
    _ storage: inout sockaddr_storage, _ body: (UnsafeMutablePointer<sockaddr>) -> Result
) -> Result {
    withUnsafeMutablePointer(to: &storage) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
    }
}
