#ifndef WEIR_CSQLITE_SHIM_H
#define WEIR_CSQLITE_SHIM_H

#include <sqlite3.h>

// Swift does not import SQLITE_TRANSIENT, which is a cast. SQLite copies the bytes.

static inline int weir_sqlite3_bind_text(
    sqlite3_stmt *statement, int index, const char *bytes, int count) {
    return sqlite3_bind_text(statement, index, bytes, count, SQLITE_TRANSIENT);
}

static inline int weir_sqlite3_bind_blob(
    sqlite3_stmt *statement, int index, const void *bytes, int count) {
    return sqlite3_bind_blob(statement, index, bytes, count, SQLITE_TRANSIENT);
}

static inline void weir_sqlite3_result_text(sqlite3_context *context, const char *bytes, int count) {
    sqlite3_result_text(context, bytes, count, SQLITE_TRANSIENT);
}

static inline void weir_sqlite3_result_blob(sqlite3_context *context, const void *bytes, int count) {
    sqlite3_result_blob(context, bytes, count, SQLITE_TRANSIENT);
}

#endif
