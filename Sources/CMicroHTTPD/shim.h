/* What Swift cannot import of libmicrohttpd: its variadic functions. */
#ifndef WEIR_CMICROHTTPD_SHIM_H
#define WEIR_CMICROHTTPD_SHIM_H

#include <stddef.h>
#include <stdint.h>
#include <microhttpd.h>

/* Serves a listening socket with one epoll thread of the library's own.
 * On success the daemon owns the socket and MHD_stop_daemon closes it. */
static inline struct MHD_Daemon *weir_mhd_start(
    int listening_socket, MHD_AccessHandlerCallback handler, void *context,
    unsigned connections, unsigned connections_per_address, unsigned timeout_seconds,
    size_t memory_per_connection)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handler, context,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)listening_socket,
        MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, connections_per_address,
        MHD_OPTION_CONNECTION_TIMEOUT, timeout_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory_per_connection,
        MHD_OPTION_END);
}

/* MHD_ValueKind and MHD_ResponseMemoryMode are C enums with macro aliases; fix the two we use. */
static inline const char *weir_mhd_header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static inline struct MHD_Response *weir_mhd_response_copying(const void *bytes, size_t count)
{
    return MHD_create_response_from_buffer(count, (void *)bytes, MHD_RESPMEM_MUST_COPY);
}

#endif
