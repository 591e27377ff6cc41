import Glibc
package import Vocabulary

/// The metrics server can't start. The description says what to do.
package enum ServerError: Error, Hashable, CustomStringConvertible {
    /// Somebody else listens there.
    case inUse(Endpoint)
    /// This machine has no such address.
    case noSuchAddress(Endpoint)
    /// Ports below 1024 need a privilege.
    case forbidden(Endpoint)
    /// - Parameter errno: the system's number for what went wrong.
    case system(Endpoint, errno: Int32)
    /// libmicrohttpd gave up without a reason.
    case library(Endpoint)

    init(_ endpoint: Endpoint, errno code: Int32) {
        switch code {
        case EADDRINUSE: self = .inUse(endpoint)
        case EADDRNOTAVAIL: self = .noSuchAddress(endpoint)
        case EACCES, EPERM: self = .forbidden(endpoint)
        default: self = .system(endpoint, errno: code)
        }
    }

    package var description: String {
        switch self {
        case .inUse(let endpoint):
            "metrics: \(endpoint) is in use; set another port, or find who has it with "
                + "`ss -ltnp 'sport = :\(endpoint.port)'`"
        case .noSuchAddress(let endpoint):
            "metrics: \(endpoint.address) is not an address of this machine; see `ip address`"
        case .forbidden(let endpoint):
            "metrics: not allowed to listen on \(endpoint); choose a port of 1024 or above"
        case .system(let endpoint, let errno):
            "metrics: cannot listen on \(endpoint): \(String(cString: strerror(errno)))"
        case .library(let endpoint):
            "metrics: libmicrohttpd did not start on \(endpoint); look for a limit on threads or "
                + "open files"
        }
    }
}
