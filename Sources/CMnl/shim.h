// libmnl and the rtnetlink headers, with what Swift cannot import of them.
#ifndef CMNL_SHIM_H
#define CMNL_SHIM_H

// First: the kernel's headers then leave `struct in6_addr` to glibc.
#include <sys/socket.h>
#include <netinet/in.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

/// Sends `request`, which asks for an acknowledgement, and waits for that.
///
/// - Returns: 0, or a negative errno: the kernel's, or of the socket.
static inline int cmnl_transact(struct mnl_socket *socket, struct nlmsghdr *request) {
    char answer[8192];
    if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0) return -errno;
    for (;;) {
        ssize_t count = mnl_socket_recvfrom(socket, answer, sizeof answer);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -errno;
        int result = mnl_cb_run(
            answer, (size_t)count, request->nlmsg_seq, mnl_socket_get_portid(socket), NULL, NULL);
        if (result < 0) return -errno;
        if (result == MNL_CB_STOP) return 0;
    }
}

/// Starts a message of `type` whose fixed part is the `size` bytes at `header`.
static inline struct nlmsghdr *cmnl_begin(
    void *buffer, uint16_t type, uint16_t flags, uint32_t sequence, const void *header,
    size_t size) {
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
    message->nlmsg_type = type;
    message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    message->nlmsg_seq = sequence;
    memcpy(mnl_nlmsg_put_extra_header(message, size), header, size);
    return message;
}

#endif
