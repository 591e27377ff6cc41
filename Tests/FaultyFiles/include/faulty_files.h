// Files that fail when a test wants them to: a SQLite VFS before the one of the system. It is the
// process's default after the first plan was made; files that no plan is for never notice.
#ifndef FAULTY_FILES_H
#define FAULTY_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/// Operations that a plan counts.
enum faulty_operations {
    FAULTY_WRITES = 1,
    FAULTY_SYNCS = 2,
    FAULTY_TRUNCATIONS = 4,
    FAULTY_READS = 8,
};

enum faulty_kind {
    /// The operation fails and does nothing.
    FAULTY_ERROR,
    /// A write is done by half, and fails.
    FAULTY_SHORT,
    /// A write is done by half; of what was written since the last sync some is not there any more;
    /// and nothing works until the plan ends.
    FAULTY_POWER_LOSS,
};

struct faulty_plan;

/// A plan for all files whose path begins with `prefix`, at most 16 at a time. Null if there are
/// more.
///
/// - operations: of `faulty_operations`, which are counted.
/// - first, last: the numbers of the operations that fail, counted from 1.
/// - code: SQLite's result code of these.
/// - seed: chooses what a loss of power takes.
struct faulty_plan *faulty_begin(
    const char *prefix, int operations, long first, long last, int code, enum faulty_kind kind,
    uint64_t seed);

/// How many operations were counted.
long faulty_count(const struct faulty_plan *plan);

/// From now on all works again.
void faulty_end(struct faulty_plan *plan);

/// As fork(2), which Swift does not import: for a program of one thread.
pid_t faulty_fork(void);

#endif
