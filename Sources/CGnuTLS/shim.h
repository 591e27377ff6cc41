/* What is asked of GnuTLS, which libmicrohttpd does TLS with, about a client's certificate. */
#ifndef WEIR_CGNUTLS_SHIM_H
#define WEIR_CGNUTLS_SHIM_H

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <string.h>

enum weir_client_certificate { WEIR_CERTIFICATE_NONE, WEIR_CERTIFICATE_GOOD, WEIR_CERTIFICATE_BAD };

static inline enum weir_client_certificate weir_tls_client_certificate(void *session)
{
    unsigned count = 0, status = 0;
    if (!session || !gnutls_certificate_get_peers((gnutls_session_t)session, &count) || !count)
        return WEIR_CERTIFICATE_NONE;
    gnutls_typed_vdata_st purpose = {
        GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT, 0};
    int code = gnutls_certificate_verify_peers((gnutls_session_t)session, &purpose, 1, &status);
    return code == 0 && status == 0 ? WEIR_CERTIFICATE_GOOD : WEIR_CERTIFICATE_BAD;
}

/* Whether the client's certificate has a subject alternative name that is exactly `name`. */
static inline bool weir_tls_client_has_san(void *session, const char *name)
{
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers((gnutls_session_t)session, &count);
    gnutls_x509_crt_t certificate;
    if (!chain || !count || gnutls_x509_crt_init(&certificate) != 0) return false;
    bool found = false;
    if (gnutls_x509_crt_import(certificate, chain, GNUTLS_X509_FMT_DER) == 0) {
        for (unsigned place = 0; place < 64 && !found; place++) {
            char value[512];
            size_t length = sizeof value;
            int type = gnutls_x509_crt_get_subject_alt_name(
                certificate, place, value, &length, NULL);
            if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) break;
            char address[INET6_ADDRSTRLEN];
            if (type == GNUTLS_SAN_IPADDRESS)
                found = (length == 4 || length == 16)
                    && inet_ntop(length == 4 ? AF_INET : AF_INET6, value, address, sizeof address)
                    && strcmp(address, name) == 0;
            else
                found = (type == GNUTLS_SAN_DNSNAME || type == GNUTLS_SAN_URI
                         || type == GNUTLS_SAN_RFC822NAME)
                    && length == strlen(name) && memcmp(value, name, length) == 0;
        }
    }
    gnutls_x509_crt_deinit(certificate);
    return found;
}

/* Whether a certificate chain and a key, both PEM, belong together; 0 or GnuTLS's error. */
static inline int weir_tls_check_pair(
    const void *certificate, size_t certificate_size, const void *key, size_t key_size)
{
    gnutls_certificate_credentials_t credentials;
    int code = gnutls_certificate_allocate_credentials(&credentials);
    if (code != 0) return code;
    gnutls_datum_t c = {(unsigned char *)certificate, (unsigned)certificate_size};
    gnutls_datum_t k = {(unsigned char *)key, (unsigned)key_size};
    code = gnutls_certificate_set_x509_key_mem(credentials, &c, &k, GNUTLS_X509_FMT_PEM);
    gnutls_certificate_free_credentials(credentials);
    return code;
}

/* The number of certificates in PEM text, or GnuTLS's error. */
static inline int weir_tls_check_trust(const void *certificates, size_t size)
{
    gnutls_certificate_credentials_t credentials;
    int code = gnutls_certificate_allocate_credentials(&credentials);
    if (code != 0) return code;
    gnutls_datum_t c = {(unsigned char *)certificates, (unsigned)size};
    code = gnutls_certificate_set_x509_trust_mem(credentials, &c, GNUTLS_X509_FMT_PEM);
    gnutls_certificate_free_credentials(credentials);
    return code;
}

/* When the first of the certificates in PEM text expires, in seconds since the epoch; 0 if none can
   be read or all are good for ever (RFC 5280 4.1.2.5). */
static inline long long weir_tls_first_expiry(const void *certificates, size_t size)
{
    gnutls_x509_crt_t *list = NULL;
    unsigned count = 0;
    gnutls_datum_t text = {(unsigned char *)certificates, (unsigned)size};
    if (gnutls_x509_crt_list_import2(&list, &count, &text, GNUTLS_X509_FMT_PEM, 0) < 0) return 0;
    long long first = 0;
    for (unsigned place = 0; place < count; place++) {
        time_t expiry = gnutls_x509_crt_get_expiration_time(list[place]);
        if (expiry > 0 && expiry != GNUTLS_X509_NO_WELL_DEFINED_EXPIRATION
            && (first == 0 || expiry < first))
            first = expiry;
        gnutls_x509_crt_deinit(list[place]);
    }
    gnutls_free(list);
    return first;
}

/* 0 if GnuTLS takes a priority string and it leaves at least one suite, or its error. */
static inline int weir_tls_check_priorities(const char *priorities)
{
    gnutls_priority_t cache;
    int code = gnutls_priority_init(&cache, priorities, NULL);
    if (code == 0) gnutls_priority_deinit(cache);
    return code;
}

/* Whether the first certificate of PEM text has an RSA key. */
static inline bool weir_tls_is_rsa(const void *certificate, size_t size)
{
    gnutls_x509_crt_t first;
    gnutls_datum_t text = {(unsigned char *)certificate, (unsigned)size};
    if (gnutls_x509_crt_init(&first) != 0) return false;
    int kind = gnutls_x509_crt_import(first, &text, GNUTLS_X509_FMT_PEM) == 0
        ? gnutls_x509_crt_get_pk_algorithm(first, NULL) : GNUTLS_PK_UNKNOWN;
    gnutls_x509_crt_deinit(first);
    return kind == GNUTLS_PK_RSA || kind == GNUTLS_PK_RSA_PSS;
}

#endif
