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

/// What makes keys of a curve of RFC 7748, "X25519" or "X448". NULL if OpenSSL lacks it.
static inline EVP_PKEY_CTX *weir_montgomery_maker(const char *curve) {
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, curve, NULL);
    if (maker == NULL || EVP_PKEY_fromdata_init(maker) == 1) return maker;
    EVP_PKEY_CTX_free(maker);
    return NULL;
}

/// A key with this public value, and with this private one unless it is NULL. That both belong
/// together is not checked. NULL for want of memory.
static inline EVP_PKEY *weir_montgomery_key(EVP_PKEY_CTX *maker, const unsigned char *scalar,
                                            const unsigned char *point, size_t length) {
    OSSL_PARAM parameters[3];
    OSSL_PARAM *next = parameters;
    *next++ = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point, length);
    if (scalar != NULL)
        *next++ =
            OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, (void *)scalar, length);
    *next = OSSL_PARAM_construct_end();
    EVP_PKEY *key = NULL;
    const int parts = scalar == NULL ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR;
    return EVP_PKEY_fromdata(maker, &key, parts, parameters) == 1 ? key : NULL;
}

#endif
