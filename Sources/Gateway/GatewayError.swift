import Glibc
package import Vocabulary

/// Why a gateway, or something that it needs, could not be set up. Each description is one line
/// for people: what, where, and what to do next.
package enum GatewayError: Error, Hashable {
    /// A UDP socket could not be opened or bound.
    case socket(Endpoint, errno: Int32)
    /// There is no address to listen on.
    case nothingToListenOn
    /// The TUN interface could not be opened.
    case tun(name: String, errno: Int32)
    /// The TUN interface is there, and its MTU, its state or a route could not be set.
    case netlink(step: String, name: String, errno: Int32)
    /// The name of a TUN interface is empty, longer than 15 bytes, or holds `/` or a space.
    case tunName(String)
    /// The control socket could not be made.
    case control(path: String, errno: Int32)
    /// Somebody listens on the control socket's path.
    case controlInUse(path: String)
    /// The control socket's path is taken by something that is not a socket.
    case controlNotASocket(path: String)
    /// An epoll or event descriptor, or a thread, could not be made.
    case system(what: String, errno: Int32)
}

extension GatewayError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .socket(let endpoint, let errno):
            "cannot listen on \(endpoint): \(text(errno)); \(Self.socketRemedy(errno))"
        case .nothingToListenOn:
            "no address to listen on; name at least one, such as 0.0.0.0"
        case .tun(let name, let errno):
            "cannot open the TUN interface \(name): \(text(errno)); \(Self.tunRemedy(errno))"
        case .netlink(let step, let name, let errno):
            "cannot \(step) on the TUN interface \(name): \(text(errno)); "
                + Self.netlinkRemedy(errno)
        case .tunName(let name):
            "\"\(escaped(Array(name.utf8)))\" cannot name a TUN interface; "
                + "use 1 to 15 letters and digits, such as weir0"
        case .control(let path, let errno):
            "cannot make the control socket \(path): \(text(errno)); "
                + "choose a path that this user can write to, of at most 107 bytes"
        case .controlInUse(let path):
            "the control socket \(path) is in use: is another weir running? stop it, "
                + "or choose another path"
        case .controlNotASocket(let path):
            "\(path) exists and is not a socket; move it away, or choose another path "
                + "for the control socket"
        case .system(let what, let errno):
            "cannot make \(what): \(text(errno)); look at the limits of this process (ulimit -a)"
        }
    }

    private static func socketRemedy(_ errno: Int32) -> String {
        switch errno {
        case EADDRINUSE:
            "another program has this port: find it with `ss -lunp`, stop it or choose another port"
        case EACCES, EPERM:
            "ports below 1024 need root or CAP_NET_BIND_SERVICE"
        case EADDRNOTAVAIL:
            "no interface has this address: look at `ip address`"
        case EAFNOSUPPORT:
            "this kernel has no IPv6 here: listen on IPv4 addresses only"
        default: "look at the limits of this process (ulimit -a)"
        }
    }

    private static func tunRemedy(_ errno: Int32) -> String {
        switch errno {
        case EPERM, EACCES: "it needs root or CAP_NET_ADMIN"
        case ENOENT, ENODEV, ENXIO:
            "the kernel's tun module is missing: run `modprobe tun`, or give the container "
                + "/dev/net/tun"
        case EBUSY, EINVAL:
            "an interface of this name exists: stop its owner, or choose another name"
        default: "look at the kernel's log (dmesg)"
        }
    }

    private static func netlinkRemedy(_ errno: Int32) -> String {
        switch errno {
        case EPERM, EACCES: "it needs root or CAP_NET_ADMIN"
        case EEXIST: "another interface has this route: look at `ip route`, or choose another pool"
        case EINVAL, ERANGE: "choose an MTU from 1280 to 9000"
        default: "look at the kernel's log (dmesg)"
        }
    }
}

/// The system's words for an error number.
func text(_ errno: Int32) -> String {
    String(cString: strerror(errno))
}
