/* What Swift cannot import of zlib: deflateInit2 is a macro. */
#ifndef WEIR_CZLIB_SHIM_H
#define WEIR_CZLIB_SHIM_H

#include <string.h>
#include <zlib.h>

/* Compresses in one go as gzip (RFC 1952), fast rather than small.
 * Returns the length of the result, 0 if it did not fit or memory ran out. */
static inline size_t weir_gzip(
    const void *bytes, size_t count, void *result, size_t capacity)
{
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (count > 0x7fffffff || capacity > 0x7fffffff
        || deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return 0;
    stream.next_in = (Bytef *)bytes;
    stream.avail_in = (uInt)count;
    stream.next_out = (Bytef *)result;
    stream.avail_out = (uInt)capacity;
    int code = deflate(&stream, Z_FINISH);
    size_t length = stream.total_out;
    deflateEnd(&stream);
    return code == Z_STREAM_END ? length : 0;
}

#endif
