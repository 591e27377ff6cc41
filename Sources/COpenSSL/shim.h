#ifndef WEIR_COPENSSL_SHIM_H
#define WEIR_COPENSSL_SHIM_H

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <openssl/rand.h>

/// An HMAC context with its digest chosen and a key of no meaning set, to be duplicated: that
/// is cheaper than looking the algorithms up for each message. NULL if OpenSSL lacks it.
static inline EVP_MAC_CTX *weir_hmac_template(const char *digest) {
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (mac == NULL) return NULL;
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    if (context == NULL) return NULL;
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0),
        OSSL_PARAM_construct_end(),
    };
    const unsigned char key[1] = {0};
    if (EVP_MAC_init(context, key, sizeof key, parameters) == 1) return context;
    EVP_MAC_CTX_free(context);
    return NULL;
}

/// Sets the key. NULL with length zero is the empty key and not, as for EVP_MAC_init, the last one.
static inline int weir_hmac_key(EVP_MAC_CTX *context, const unsigned char *key, size_t length) {
    static const unsigned char empty[1] = {0};
    return EVP_MAC_init(context, key == NULL ? empty : key, length, NULL);
}

/// Starts again with the same key.
static inline int weir_hmac_restart(EVP_MAC_CTX *context) {
    return EVP_MAC_init(context, NULL, 0, NULL);
}

#endif
