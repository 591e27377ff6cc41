#include "faulty_files.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLANS 16

/// A write that no sync followed yet: what was there before it.
struct undo {
    struct undo *next;
    struct faulty_file *file;
    sqlite3_int64 offset;
    int count;
    char before[];
};

struct faulty_plan {
    bool used;
    /// Tells the files of this plan from those of one that was here before.
    unsigned generation;
    char prefix[256];
    int operations;
    long first, last, count;
    int code;
    enum faulty_kind kind;
    uint64_t seed;
    bool dead;
    struct undo *undos;
};

/// The system's own file follows it in memory.
struct faulty_file {
    sqlite3_file base;
    struct faulty_plan *plan;
    unsigned generation;
    sqlite3_file *real;
};

static struct faulty_plan plans[PLANS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sqlite3_vfs *system_vfs;
static sqlite3_vfs faulty_vfs;

static struct faulty_plan *plan_of(const char *path) {
    struct faulty_plan *found = NULL;
    pthread_mutex_lock(&lock);
    for (int index = 0; path != NULL && index < PLANS; index++) {
        struct faulty_plan *plan = &plans[index];
        if (plan->used && strncmp(path, plan->prefix, strlen(plan->prefix)) == 0) found = plan;
    }
    pthread_mutex_unlock(&lock);
    return found;
}

/// The plan of a file; null if it has none, or that is over.
static struct faulty_plan *plan_of_file(const struct faulty_file *file) {
    struct faulty_plan *plan = file->plan;
    return plan != NULL && plan->used && plan->generation == file->generation ? plan : NULL;
}

static sqlite3_file *real(sqlite3_file *file) { return ((struct faulty_file *)file)->real; }

static void forget(struct faulty_plan *plan, const struct faulty_file *file) {
    for (struct undo **link = &plan->undos; *link != NULL;) {
        struct undo *undo = *link;
        if (file != NULL && undo->file != file) {
            link = &undo->next;
            continue;
        }
        *link = undo->next;
        free(undo);
    }
}

static void remember(
    struct faulty_plan *plan, struct faulty_file *file, sqlite3_int64 offset, int count) {
    struct undo *undo = malloc(sizeof *undo + (size_t)count);
    if (undo == NULL) return;
    *undo = (struct undo){.next = plan->undos, .file = file, .offset = offset, .count = count};
    // What is beyond the end reads as zeros.
    file->real->pMethods->xRead(file->real, undo->before, count, offset);
    plan->undos = undo;
}

/// Takes back about half of what was not synced, in no order.
static void lose_power(struct faulty_plan *plan) {
    plan->dead = true;
    for (struct undo *undo = plan->undos; undo != NULL; undo = undo->next) {
        plan->seed = plan->seed * 6364136223846793005u + 1442695040888963407u;
        if (plan->seed >> 63 == 0) continue;
        sqlite3_file *file = undo->file->real;
        file->pMethods->xWrite(file, undo->before, undo->count, undo->offset);
    }
    forget(plan, NULL);
}

/// What comes of an operation. 0: it is done as usual.
static int verdict(struct faulty_plan *plan, int operation) {
    if (plan == NULL) return SQLITE_OK;
    if (plan->dead) return SQLITE_IOERR;
    if ((plan->operations & operation) == 0) return SQLITE_OK;
    plan->count++;
    if (plan->count < plan->first || plan->count > plan->last) return SQLITE_OK;
    return plan->code;
}

static void fail(struct faulty_plan *plan) {
    if (plan->kind == FAULTY_POWER_LOSS && !plan->dead) lose_power(plan);
}

static int faulty_close(sqlite3_file *file) {
    struct faulty_plan *plan = plan_of_file((struct faulty_file *)file);
    if (plan != NULL) forget(plan, (struct faulty_file *)file);
    return real(file)->pMethods->xClose(real(file));
}

static int faulty_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    int code = verdict(plan_of_file((struct faulty_file *)file), FAULTY_READS);
    if (code != SQLITE_OK) return code;
    return real(file)->pMethods->xRead(real(file), bytes, count, offset);
}

static int faulty_write(
    sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    struct faulty_plan *plan = plan_of_file((struct faulty_file *)file);
    int code = verdict(plan, FAULTY_WRITES);
    if (code == SQLITE_OK) {
        if (plan != NULL && plan->kind == FAULTY_POWER_LOSS) {
            remember(plan, (struct faulty_file *)file, offset, count);
        }
        return real(file)->pMethods->xWrite(real(file), bytes, count, offset);
    }
    if (plan->kind != FAULTY_ERROR && !plan->dead) {
        real(file)->pMethods->xWrite(real(file), bytes, count / 2, offset);
    }
    fail(plan);
    return code;
}

static int faulty_truncate(sqlite3_file *file, sqlite3_int64 size) {
    struct faulty_plan *plan = plan_of_file((struct faulty_file *)file);
    int code = verdict(plan, FAULTY_TRUNCATIONS);
    if (code == SQLITE_OK) return real(file)->pMethods->xTruncate(real(file), size);
    fail(plan);
    return code;
}

static int faulty_sync(sqlite3_file *file, int flags) {
    struct faulty_plan *plan = plan_of_file((struct faulty_file *)file);
    int code = verdict(plan, FAULTY_SYNCS);
    if (code == SQLITE_OK) {
        if (plan != NULL) forget(plan, (struct faulty_file *)file);
        return real(file)->pMethods->xSync(real(file), flags);
    }
    fail(plan);
    return code;
}

static int faulty_size(sqlite3_file *file, sqlite3_int64 *size) {
    return real(file)->pMethods->xFileSize(real(file), size);
}

static int faulty_lock(sqlite3_file *file, int level) {
    return real(file)->pMethods->xLock(real(file), level);
}

static int faulty_unlock(sqlite3_file *file, int level) {
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int faulty_check_lock(sqlite3_file *file, int *result) {
    return real(file)->pMethods->xCheckReservedLock(real(file), result);
}

static int faulty_control(sqlite3_file *file, int operation, void *argument) {
    return real(file)->pMethods->xFileControl(real(file), operation, argument);
}

static int faulty_sector(sqlite3_file *file) {
    return real(file)->pMethods->xSectorSize(real(file));
}

static int faulty_characteristics(sqlite3_file *file) {
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int faulty_map(
    sqlite3_file *file, int page, int size, int extend, void volatile **memory) {
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, memory);
}

static int faulty_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

static void faulty_barrier(sqlite3_file *file) { real(file)->pMethods->xShmBarrier(real(file)); }

static int faulty_unmap(sqlite3_file *file, int delete_it) {
    return real(file)->pMethods->xShmUnmap(real(file), delete_it);
}

static const sqlite3_io_methods methods = {
    2, faulty_close, faulty_read, faulty_write, faulty_truncate, faulty_sync, faulty_size,
    faulty_lock, faulty_unlock, faulty_check_lock, faulty_control, faulty_sector,
    faulty_characteristics, faulty_map, faulty_shm_lock, faulty_barrier, faulty_unmap, NULL, NULL,
};

static int faulty_open(
    sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *outcome) {
    (void)vfs;
    struct faulty_file *faulty = (struct faulty_file *)file;
    faulty->base.pMethods = NULL;
    faulty->plan = plan_of(path);
    faulty->generation = faulty->plan == NULL ? 0 : faulty->plan->generation;
    if (faulty->plan != NULL && faulty->plan->dead) return SQLITE_CANTOPEN;
    faulty->real = (sqlite3_file *)(faulty + 1);
    int code = system_vfs->xOpen(system_vfs, path, faulty->real, flags, outcome);
    if (faulty->real->pMethods != NULL) faulty->base.pMethods = &methods;
    return code;
}

static int faulty_delete(sqlite3_vfs *vfs, const char *path, int sync) {
    (void)vfs;
    struct faulty_plan *plan = plan_of(path);
    if (plan != NULL && plan->dead) return SQLITE_IOERR_DELETE;
    return system_vfs->xDelete(system_vfs, path, sync);
}

static void install(void) {
    system_vfs = sqlite3_vfs_find(NULL);
    faulty_vfs = *system_vfs;
    faulty_vfs.zName = "faulty";
    faulty_vfs.szOsFile = (int)sizeof(struct faulty_file) + system_vfs->szOsFile;
    faulty_vfs.pNext = NULL;
    faulty_vfs.xOpen = faulty_open;
    faulty_vfs.xDelete = faulty_delete;
    sqlite3_vfs_register(&faulty_vfs, 1);
}

struct faulty_plan *faulty_begin(
    const char *prefix, int operations, long first, long last, int code, enum faulty_kind kind,
    uint64_t seed) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    struct faulty_plan *plan = NULL;
    pthread_mutex_lock(&lock);
    for (int index = 0; index < PLANS && plan == NULL; index++) {
        if (!plans[index].used) plan = &plans[index];
    }
    if (strlen(prefix) >= sizeof plan->prefix) plan = NULL;
    if (plan != NULL) {
        *plan = (struct faulty_plan){
            .used = true, .generation = plan->generation + 1, .operations = operations, .first = first, .last = last, .code = code,
            .kind = kind, .seed = seed};
        strcpy(plan->prefix, prefix);
    }
    pthread_mutex_unlock(&lock);
    return plan;
}

long faulty_count(const struct faulty_plan *plan) { return plan->count; }

void faulty_end(struct faulty_plan *plan) {
    pthread_mutex_lock(&lock);
    plan->used = false;
    plan->dead = false;
    forget(plan, NULL);
    pthread_mutex_unlock(&lock);
}

pid_t faulty_fork(void) { return fork(); }
