/* What Swift cannot import of libcurl: variadic functions and macros around them. */
#ifndef WEIR_CCURL_SHIM_H
#define WEIR_CCURL_SHIM_H

#include <stddef.h>
#include <curl/curl.h>

static inline CURLcode weir_curl_global_init(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT);
}

static inline CURLcode weir_curl_set_long(CURL *curl, CURLoption option, long value)
{
    return curl_easy_setopt(curl, option, value);
}

static inline CURLcode weir_curl_set_string(CURL *curl, CURLoption option, const char *value)
{
    return curl_easy_setopt(curl, option, value);
}

static inline CURLcode weir_curl_set_headers(CURL *curl, struct curl_slist *headers)
{
    return curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
}

/* libcurl copies the body. */
static inline CURLcode weir_curl_set_body(CURL *curl, const void *bytes, size_t count)
{
    CURLcode code = curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
    return code != CURLE_OK ? code : curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, bytes);
}

static inline size_t weir_curl_ignore(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

/* Without this libcurl writes what the server answers to our standard output. */
static inline CURLcode weir_curl_ignore_answer(CURL *curl)
{
    return curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, weir_curl_ignore);
}

/* 0 if no answer came. */
static inline long weir_curl_status(CURL *curl)
{
    long status = 0;
    return curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK ? status : 0;
}

#endif
