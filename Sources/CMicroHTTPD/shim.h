/* What Swift cannot import of libmicrohttpd: its variadic functions. */
#ifndef WEIR_CMICROHTTPD_SHIM_H
#define WEIR_CMICROHTTPD_SHIM_H

#include <stddef.h>
#include <stdint.h>
#include <microhttpd.h>

/* Serves a listening socket with one epoll thread of the library's own. TLS if `key` is not NULL:
 * `key`, `certificate` and `trust` (NULL for no client certificates) are PEM text and must stay.
 * On success the daemon owns the socket and MHD_stop_daemon closes it. */
static inline struct MHD_Daemon *weir_mhd_start(
    int listening_socket, MHD_AccessHandlerCallback handler,
    MHD_NotifyConnectionCallback connected, MHD_RequestCompletedCallback completed, void *context,
    unsigned connections, unsigned connections_per_address, unsigned timeout_seconds,
    size_t memory_per_connection, const char *key, const char *certificate, const char *trust,
    const char *priorities)
{
    struct MHD_OptionItem tls[5];
    unsigned count = 0;
    if (key) {
        tls[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)key};
        tls[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)certificate};
        tls[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)priorities};
        if (trust)
            tls[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)trust};
    }
    tls[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | (key ? MHD_USE_TLS : 0), 0, NULL, NULL, handler, context,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)listening_socket,
        MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, connections_per_address,
        MHD_OPTION_CONNECTION_TIMEOUT, timeout_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory_per_connection,
        MHD_OPTION_NOTIFY_CONNECTION, connected, context,
        MHD_OPTION_NOTIFY_COMPLETED, completed, context,
        MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

/* MHD_ValueKind and MHD_ResponseMemoryMode are C enums with macro aliases; fix the ones we use. */
static inline const char *weir_mhd_header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* Calls `each` with every query parameter, decoded. */
static inline void weir_mhd_parameters(
    struct MHD_Connection *connection, MHD_KeyValueIterator each, void *context)
{
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, each, context);
}

static inline struct MHD_Response *weir_mhd_response_copying(const void *bytes, size_t count)
{
    return MHD_create_response_from_buffer(count, (void *)bytes, MHD_RESPMEM_MUST_COPY);
}

/* The GnuTLS session of a connection; NULL without TLS. */
static inline void *weir_mhd_tls_session(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info ? (void *)info->tls_session : NULL;
}

static inline int weir_mhd_socket(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

#endif
