/* crypt_r of libxcrypt: struct crypt_data is 32 KiB, so it is kept off the stack here. */
#ifndef WEIR_CCRYPT_SHIM_H
#define WEIR_CCRYPT_SHIM_H

#include <crypt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Whether `password` has the hash `hash`. Takes as long as the hash's own cost demands. */
static inline bool weir_crypt_matches(const char *password, const char *hash)
{
    struct crypt_data *data = (struct crypt_data *)calloc(1, sizeof *data);
    if (!data) return false;
    const char *made = crypt_r(password, hash, data);
    size_t length = strlen(hash);
    unsigned char difference = 1;
    if (made && strlen(made) == length) {
        difference = 0;
        for (size_t i = 0; i < length; i++)
            difference |= (unsigned char)(made[i] ^ hash[i]);
    }
    explicit_bzero(data, sizeof *data);
    free(data);
    return difference == 0;
}

#endif
