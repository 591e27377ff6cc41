// What Swift cannot import of Linux: everything behind _GNU_SOURCE, variadic calls, and macros
// that compute. Every function returns a negative errno on failure.
#ifndef CLINUX_H
#define CLINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The most datagrams that one call receives or sends.
#define CLINUX_BATCH 64

/// An address and a UDP port, in host byte order. IPv4: family 4, the address in `low`.
struct clinux_endpoint {
    uint64_t high;
    uint64_t low;
    uint16_t port;
    /// 4 or 6; 0 if unknown.
    uint8_t family;
};

/// A datagram to fill or to send.
struct clinux_datagram {
    uint8_t *bytes;
    /// Room before receiving, length afterwards; length when sending.
    uint32_t length;
    /// It was longer than its room; only the front is here.
    bool truncated;
    /// Our end. Its port is set by the caller, who knows what the socket is bound to.
    struct clinux_endpoint local;
    struct clinux_endpoint remote;
};

/// Opens a non-blocking UDP socket that tells and chooses its local address for each datagram.
/// Outgoing datagrams may be fragmented. An IPv6 socket takes IPv6 only.
///
/// - buffer_bytes: what to ask of SO_RCVBUF and SO_SNDBUF; the kernel may give less.
/// - share_port: SO_REUSEPORT, for several sockets on one port.
int clinux_udp_open(const struct clinux_endpoint *local, int buffer_bytes, bool share_port);
/// Of the sockets that share the port of `socket`, in the order in which they were bound, chooses
/// for each datagram the one whose number, modulo `shards`, is the first byte of the receiver's SPI:
/// of an IKE message (RFC 7296 §3.1), or, if `encapsulated`, of that after four zero bytes or of ESP
/// (RFC 3948 §2). IKE_SA_INIT has no such SPI; there the initiator's last bytes decide.
int clinux_udp_steer(int socket, bool encapsulated, int shards);
/// Where `socket` is bound.
int clinux_udp_name(int socket, struct clinux_endpoint *local);
/// Receives up to `count` (at most CLINUX_BATCH) datagrams without waiting; -EAGAIN if none.
int clinux_udp_receive(int socket, struct clinux_datagram *datagrams, int count);
/// Sends up to `count` (at most CLINUX_BATCH) datagrams without waiting. Returns how many went;
/// an error is about the first one.
int clinux_udp_send(int socket, const struct clinux_datagram *datagrams, int count);

int clinux_epoll_create(void);
/// Waits for input on `descriptor`, level-triggered; `tag` comes back from clinux_epoll_wait.
int clinux_epoll_add(int epoll, int descriptor, uint32_t tag);
int clinux_epoll_remove(int epoll, int descriptor);
/// Waits at most `milliseconds` (-1: for ever). Writes the tags of what is ready. 0 if interrupted.
int clinux_epoll_wait(int epoll, uint32_t *tags, int count, int milliseconds);

/// A non-blocking eventfd.
int clinux_eventfd(void);

/// Opens a TUN interface without packet information, non-blocking. It is gone when the
/// descriptor is closed. `name` has room for 16 bytes and receives the interface's name.
int clinux_tun_open(char *name);

/// A UNIX stream socket that listens on `path` with mode 0600, non-blocking.
int clinux_unix_listen(const char *path);
/// A UNIX stream socket connected to `path`. Reads and writes give up after `timeout_ms`.
int clinux_unix_connect(const char *path, int timeout_ms);
/// Accepts a client, non-blocking.
int clinux_unix_accept(int socket);

/// Names the calling thread, for people who look at `top -H`; longer names are cut to 15 bytes.
void clinux_name_thread(const char *name);
/// Blocks every signal on the calling thread: signals belong to the main thread.
void clinux_block_signals(void);

/// Bytes that malloc has given out and not got back, for benchmarks.
size_t clinux_heap_bytes(void);

/// Moves the calling thread into a new network namespace, for tests.
int clinux_unshare_network(void);

#endif
