#define _GNU_SOURCE
#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/// Room for one IP_PKTINFO or IPV6_PKTINFO.
#define CONTROL_BYTES CMSG_SPACE(sizeof(struct in6_pktinfo))

struct control {
    _Alignas(struct cmsghdr) uint8_t bytes[CONTROL_BYTES];
};

static void put_in6(struct in6_addr *to, const struct clinux_endpoint *from) {
    for (int i = 0; i < 8; i++) {
        to->s6_addr[i] = (uint8_t)(from->high >> (56 - 8 * i));
        to->s6_addr[8 + i] = (uint8_t)(from->low >> (56 - 8 * i));
    }
}

static void take_in6(struct clinux_endpoint *to, const struct in6_addr *from) {
    to->family = 6;
    to->high = to->low = 0;
    for (int i = 0; i < 8; i++) {
        to->high = to->high << 8 | from->s6_addr[i];
        to->low = to->low << 8 | from->s6_addr[8 + i];
    }
}

static void take_in(struct clinux_endpoint *to, const struct in_addr *from) {
    to->family = 4;
    to->high = 0;
    to->low = ntohl(from->s_addr);
}

static socklen_t put_name(struct sockaddr_storage *to, const struct clinux_endpoint *from) {
    memset(to, 0, sizeof *to);
    if (from->family == 4) {
        struct sockaddr_in *name = (struct sockaddr_in *)to;
        name->sin_family = AF_INET;
        name->sin_port = htons(from->port);
        name->sin_addr.s_addr = htonl((uint32_t)from->low);
        return sizeof *name;
    }
    struct sockaddr_in6 *name = (struct sockaddr_in6 *)to;
    name->sin6_family = AF_INET6;
    name->sin6_port = htons(from->port);
    put_in6(&name->sin6_addr, from);
    return sizeof *name;
}

static void take_name(struct clinux_endpoint *to, const struct sockaddr_storage *from) {
    memset(to, 0, sizeof *to);
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *name = (const struct sockaddr_in *)from;
        take_in(to, &name->sin_addr);
        to->port = ntohs(name->sin_port);
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *name = (const struct sockaddr_in6 *)from;
        take_in6(to, &name->sin6_addr);
        to->port = ntohs(name->sin6_port);
    }
}

static int set(int socket, int level, int option, int value) {
    return setsockopt(socket, level, option, &value, sizeof value);
}

static int configure(int socket, int family, int buffer_bytes, bool share_port) {
    if (share_port && set(socket, SOL_SOCKET, SO_REUSEPORT, 1) < 0) return -errno;
    // The forced sizes need a privilege; without it the kernel's limit has to do.
    if (set(socket, SOL_SOCKET, SO_RCVBUFFORCE, buffer_bytes) < 0)
        set(socket, SOL_SOCKET, SO_RCVBUF, buffer_bytes);
    if (set(socket, SOL_SOCKET, SO_SNDBUFFORCE, buffer_bytes) < 0)
        set(socket, SOL_SOCKET, SO_SNDBUF, buffer_bytes);
    if (family == 4) {
        if (set(socket, IPPROTO_IP, IP_PKTINFO, 1) < 0) return -errno;
        if (set(socket, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT) < 0) return -errno;
    } else {
        if (set(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0) return -errno;
        if (set(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) < 0) return -errno;
        if (set(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT) < 0) return -errno;
    }
    return 0;
}

int clinux_udp_open(const struct clinux_endpoint *local, int buffer_bytes, bool share_port) {
    int family = local->family == 4 ? AF_INET : AF_INET6;
    int descriptor = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    int result = configure(descriptor, local->family, buffer_bytes, share_port);
    if (result == 0) {
        struct sockaddr_storage name;
        socklen_t length = put_name(&name, local);
        if (bind(descriptor, (struct sockaddr *)&name, length) < 0) result = -errno;
    }
    if (result < 0) {
        close(descriptor);
        return result;
    }
    return descriptor;
}

int clinux_udp_name(int socket, struct clinux_endpoint *local) {
    struct sockaddr_storage name;
    memset(&name, 0, sizeof name);
    socklen_t length = sizeof name;
    if (getsockname(socket, (struct sockaddr *)&name, &length) < 0) return -errno;
    take_name(local, &name);
    return 0;
}

int clinux_udp_steer(int socket, bool encapsulated, int shards) {
    if (shards < 1) return -EINVAL;
    // Offsets are from the UDP payload on; IKE begins after the non-ESP marker. A datagram that is
    // too short for what is loaded goes to the first socket.
    const uint32_t ike = encapsulated ? 4 : 0;
    const uint32_t flags = ike + 19, responder = ike + 8;
    const uint8_t sent_by_initiator = 0x08;
    struct sock_filter program[] = {
        /* 0 */ BPF_STMT(BPF_LD | BPF_W | (encapsulated ? BPF_ABS : BPF_IMM), 0),
        /* 1 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 11),
        /* 2 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flags),
        /* 3 */ BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, sent_by_initiator, 1, 0),
        /* 4 */ BPF_STMT(BPF_JMP | BPF_JA, 6),
        /* 5 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, responder),
        /* 6 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 8),
        /* 7 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, responder + 4),
        /* 8 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 6),
        /* 9, IKE_SA_INIT: there is no SPI of ours yet */
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ike + 4),
        /* 10 */ BPF_STMT(BPF_JMP | BPF_JA, 5),
        /* 11, we began this IKE SA, by a rekey: the initiator's SPI is ours */
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ike),
        /* 12 */ BPF_STMT(BPF_JMP | BPF_JA, 3),
        /* 13, ESP */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        /* 14 */ BPF_STMT(BPF_JMP | BPF_JA, 1),
        /* 15, the peer began it: the responder's SPI is ours */
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, responder),
        /* 16 */ BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, (uint32_t)shards),
        /* 17 */ BPF_STMT(BPF_RET | BPF_A, 0),
    };
    const struct sock_fprog filter = {sizeof program / sizeof program[0], program};
    if (setsockopt(
            socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, sizeof filter) < 0)
        return -errno;
    return 0;
}

static void take_control(struct clinux_endpoint *local, struct msghdr *header) {
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(part), sizeof info);
            take_in(local, &info.ipi_spec_dst);
        } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(part), sizeof info);
            take_in6(local, &info.ipi6_addr);
        }
    }
}

int clinux_udp_receive(int socket, struct clinux_datagram *datagrams, int count) {
    struct mmsghdr headers[CLINUX_BATCH];
    struct iovec vectors[CLINUX_BATCH];
    struct sockaddr_storage names[CLINUX_BATCH];
    struct control controls[CLINUX_BATCH];
    if (count > CLINUX_BATCH) count = CLINUX_BATCH;

    for (int i = 0; i < count; i++) {
        vectors[i] = (struct iovec){datagrams[i].bytes, datagrams[i].length};
        headers[i].msg_hdr = (struct msghdr){
            .msg_name = &names[i], .msg_namelen = sizeof names[i],
            .msg_iov = &vectors[i], .msg_iovlen = 1,
            .msg_control = &controls[i], .msg_controllen = sizeof controls[i]};
    }
    int received = recvmmsg(socket, headers, (unsigned)count, MSG_DONTWAIT, NULL);
    if (received < 0) return -errno;
    for (int i = 0; i < received; i++) {
        datagrams[i].length = headers[i].msg_len;
        datagrams[i].truncated = (headers[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
        datagrams[i].local = (struct clinux_endpoint){0};
        take_name(&datagrams[i].remote, &names[i]);
        take_control(&datagrams[i].local, &headers[i].msg_hdr);
    }
    return received;
}

static socklen_t put_control(struct control *to, const struct clinux_endpoint *local) {
    memset(to, 0, sizeof *to);
    struct cmsghdr *part = (struct cmsghdr *)to->bytes;
    if (local->family == 4) {
        struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl((uint32_t)local->low)};
        part->cmsg_level = IPPROTO_IP;
        part->cmsg_type = IP_PKTINFO;
        part->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(part), &info, sizeof info);
        return CMSG_SPACE(sizeof info);
    }
    struct in6_pktinfo info = {0};
    put_in6(&info.ipi6_addr, local);
    part->cmsg_level = IPPROTO_IPV6;
    part->cmsg_type = IPV6_PKTINFO;
    part->cmsg_len = CMSG_LEN(sizeof info);
    memcpy(CMSG_DATA(part), &info, sizeof info);
    return CMSG_SPACE(sizeof info);
}

int clinux_udp_send(int socket, const struct clinux_datagram *datagrams, int count) {
    struct mmsghdr headers[CLINUX_BATCH];
    struct iovec vectors[CLINUX_BATCH];
    struct sockaddr_storage names[CLINUX_BATCH];
    struct control controls[CLINUX_BATCH];
    if (count > CLINUX_BATCH) count = CLINUX_BATCH;

    for (int i = 0; i < count; i++) {
        vectors[i] = (struct iovec){datagrams[i].bytes, datagrams[i].length};
        headers[i].msg_hdr = (struct msghdr){
            .msg_name = &names[i], .msg_namelen = put_name(&names[i], &datagrams[i].remote),
            .msg_iov = &vectors[i], .msg_iovlen = 1,
            .msg_control = &controls[i],
            .msg_controllen = put_control(&controls[i], &datagrams[i].local)};
    }
    int sent = sendmmsg(socket, headers, (unsigned)count, MSG_DONTWAIT);
    return sent < 0 ? -errno : sent;
}
