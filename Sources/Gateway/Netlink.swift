import CMnl
import Glibc
import Vocabulary

/// Requests to the kernel about links and routes (rtnetlink). Not thread-safe.
final class Netlink {
    private static let bufferSize = 1024
    /// Of the rules for a tenant's link: between the local table's (0) and the main one's (32766).
    private static let rulePriority: UInt32 = 10_000

    private let socket: OpaquePointer
    private var sequence: UInt32 = 0

    init(for name: String) throws(GatewayError) {
        guard let socket = mnl_socket_open2(NETLINK_ROUTE, Int32(SOCK_CLOEXEC.rawValue)) else {
            throw .netlink(step: "open netlink", name: name, errno: errno)
        }
        guard mnl_socket_bind(socket, 0, 0) >= 0 else {
            let error = errno
            mnl_socket_close(socket)
            throw .netlink(step: "open netlink", name: name, errno: error)
        }
        self.socket = socket
    }

    deinit { mnl_socket_close(socket) }

    /// Sets the MTU in bytes and brings the link up. Returns 0 or an errno.
    func bringUp(link index: Int32, mtu: UInt32) -> Int32 {
        var header = ifinfomsg()
        header.ifi_index = index
        header.ifi_flags = UInt32(IFF_UP)
        header.ifi_change = UInt32(IFF_UP)
        return request(UInt16(RTM_NEWLINK), 0, header) { message in
            mnl_attr_put_u32(message, UInt16(IFLA_MTU), mtu)
        }
    }

    /// Keeps the kernel from giving the link an IPv6 address of its own, and from sending router
    /// solicitations that no peer asked for. Returns 0 or an errno, which there is on a kernel
    /// without IPv6.
    func noOwnIPv6(link index: Int32) -> Int32 {
        var header = ifinfomsg()
        header.ifi_index = index
        return request(UInt16(RTM_NEWLINK), 0, header) { message in
            let families = mnl_attr_nest_start(message, UInt16(IFLA_AF_SPEC))
            let family = mnl_attr_nest_start(message, UInt16(AF_INET6))
            mnl_attr_put_u8(
                message, UInt16(IFLA_INET6_ADDR_GEN_MODE), UInt8(IN6_ADDR_GEN_MODE_NONE.rawValue))
            mnl_attr_nest_end(message, family)
            mnl_attr_nest_end(message, families)
        }
    }

    /// Routes a prefix to the link, in this table or the main one. Returns 0 or an errno, EEXIST if
    /// there is such a route.
    func addRoute(_ prefix: InnerPrefix, link index: Int32, table: UInt32?) -> Int32 {
        route(prefix, index, table, UInt16(RTM_NEWROUTE), UInt16(NLM_F_CREATE | NLM_F_EXCL))
    }

    /// Takes such a route away. Returns 0 or an errno, ESRCH if there is none.
    func removeRoute(_ prefix: InnerPrefix, link index: Int32, table: UInt32?) -> Int32 {
        route(prefix, index, table, UInt16(RTM_DELROUTE), 0)
    }

    private func route(
        _ prefix: InnerPrefix, _ index: Int32, _ table: UInt32?, _ type: UInt16, _ flags: UInt16
    ) -> Int32 {
        var header = rtmsg()
        header.rtm_family = UInt8(prefix.address.isIPv4 ? AF_INET : AF_INET6)
        header.rtm_dst_len = UInt8(clamping: prefix.length)
        // The attribute has it: a byte is too short.
        header.rtm_table = UInt8(RT_TABLE_UNSPEC.rawValue)
        header.rtm_protocol = UInt8(RTPROT_STATIC)
        header.rtm_scope = UInt8(
            (prefix.address.isIPv4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE).rawValue)
        header.rtm_type = UInt8(RTN_UNICAST)
        let destination = prefix.address.bytes
        return request(type, flags, header) { message in
            mnl_attr_put(message, UInt16(RTA_DST.rawValue), destination.count, destination)
            mnl_attr_put_u32(message, UInt16(RTA_OIF.rawValue), UInt32(index))
            mnl_attr_put_u32(
                message, UInt16(RTA_TABLE.rawValue), table ?? UInt32(RT_TABLE_MAIN.rawValue))
        }
    }

    /// Packets that come from the link are routed by the table, or not at all: what the table does
    /// not know is unreachable. Returns 0 or an errno.
    func confine(link name: String, to table: UInt32) -> Int32 {
        rules(name, table, UInt16(RTM_NEWRULE), UInt16(NLM_F_CREATE | NLM_F_EXCL))
    }

    /// Takes that back. A rule outlives its link.
    func release(link name: String, from table: UInt32) {
        _ = rules(name, table, UInt16(RTM_DELRULE), 0)
    }

    private func rules(
        _ name: String, _ table: UInt32, _ type: UInt16, _ flags: UInt16
    ) -> Int32 {
        for family in [AF_INET, AF_INET6] {
            for (action, priority) in [
                (FR_ACT_TO_TBL, Self.rulePriority), (FR_ACT_UNREACHABLE, Self.rulePriority + 1),
            ] {
                var header = fib_rule_hdr()
                header.family = UInt8(family)
                header.action = UInt8(action)
                let failure = request(type, flags, header) { message in
                    mnl_attr_put_strz(message, UInt16(FRA_IIFNAME), name)
                    mnl_attr_put_u32(message, UInt16(FRA_PRIORITY), priority)
                    if action == FR_ACT_TO_TBL {
                        mnl_attr_put_u32(message, UInt16(FRA_TABLE), table)
                    }
                }
                // Of a run that crashed, or for a family that this kernel does not have.
                let harmless = [0, EEXIST, EAFNOSUPPORT, EOPNOTSUPP, ENOENT]
                guard harmless.contains(failure) else { return failure }
            }
        }
        return 0
    }

    /// Sends one request and waits for its acknowledgement. The attributes take less than
    /// `bufferSize`, whatever their values.
    private func request<Header: BitwiseCopyable>(
        _ type: UInt16, _ flags: UInt16, _ header: Header,
        _ attributes: (UnsafeMutablePointer<nlmsghdr>) -> Void
    ) -> Int32 {
        sequence &+= 1
        return withUnsafeTemporaryAllocation(
            byteCount: Self.bufferSize, alignment: MemoryLayout<nlmsghdr>.alignment
        ) { buffer in
            withUnsafeBytes(of: header) { fixed in
                guard
                    let message = cmnl_begin(
                        buffer.baseAddress, type, flags, sequence, fixed.baseAddress, fixed.count)
                else { return EINVAL }
                attributes(message)
                return -cmnl_transact(socket, message)
            }
        }
    }
}
