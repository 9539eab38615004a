/*
 * Appending with the library next to embedded stores: LMDB in its append mode, RocksDB and SQLite with a
 * write-ahead log. Here the "limit" is the peer, and the ratio says how many times faster the library is.
 * Each side begins with a new directory; the peers' keys are the offsets, ascending.
 *
 * What is promised is the same on both sides: "synced" is on the disk when the call returns, otherwise the
 * kernel has it. Only "gathered" promises less than its peer: up to 64 KiB are in memory.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "base/bytes.h"
#include "logdir.h"

#ifdef HAVE_LMDB
#include <lmdb.h>
#endif
#ifdef HAVE_ROCKSDB
#include <rocksdb/c.h>
#endif
#ifdef HAVE_SQLITE
#include <sqlite3.h>
#endif

#define RECORDS_MAX 1000
#define BYTES_MAX   (256ull << 20) /* of one side in one round */
#define MAP_BYTES   (4ull << 30)

static char value[2048];

/* What every store is asked: all of `count` values in one transaction. */
struct peer {
    const char *name;
    void (*open)(struct peer *p, const char *dir, bool synced);
    void (*append)(struct peer *p, uint64_t first, size_t count, size_t size);
    void (*close)(struct peer *p);
    double ratios[6]; /* the wanted ratio of each case */
    /* The handles of the one that is open. */
    void *db, *more;
    uint64_t id;
    bool synced;
};

/* Without any peer nobody calls it. */
static _Noreturn __attribute__((unused)) void die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    bench_die(what);
}

#ifdef HAVE_LMDB
static void lmdb_ok(int rc)
{
    if (rc)
        die("LMDB", mdb_strerror(rc));
}

static void lmdb_open(struct peer *p, const char *dir, bool synced)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    lmdb_ok(mdb_env_create(&env));
    lmdb_ok(mdb_env_set_mapsize(env, MAP_BYTES));
    lmdb_ok(mdb_env_open(env, dir, synced ? 0 : MDB_NOSYNC, 0644));
    lmdb_ok(mdb_txn_begin(env, NULL, 0, &txn));
    lmdb_ok(mdb_dbi_open(txn, NULL, 0, &dbi));
    lmdb_ok(mdb_txn_commit(txn));
    p->db = env;
    p->id = dbi;
}

static void lmdb_append(struct peer *p, uint64_t first, size_t count, size_t size)
{
    MDB_txn *txn;
    uint8_t name[8];
    lmdb_ok(mdb_txn_begin(p->db, NULL, 0, &txn));
    for (size_t i = 0; i < count; i++) {
        rw_store_be64(name, first + i);
        MDB_val k = {sizeof(name), name}, v = {size, value + i};
        lmdb_ok(mdb_put(txn, (MDB_dbi)p->id, &k, &v, MDB_APPEND));
    }
    lmdb_ok(mdb_txn_commit(txn));
}

static void lmdb_close(struct peer *p)
{
    mdb_env_close(p->db);
}
#endif

#ifdef HAVE_ROCKSDB
static void rocks_open(struct peer *p, const char *dir, bool synced)
{
    char *error = NULL;
    rocksdb_options_t *o = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(o, 1);
    rocksdb_options_set_compression(o, rocksdb_no_compression);
    p->db = rocksdb_open(o, dir, &error);
    if (error)
        die("RocksDB", error);
    rocksdb_options_destroy(o);
    rocksdb_writeoptions_t *w = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(w, synced);
    p->more = w;
}

static void rocks_append(struct peer *p, uint64_t first, size_t count, size_t size)
{
    char *error = NULL;
    uint8_t name[8];
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    for (size_t i = 0; i < count; i++) {
        rw_store_be64(name, first + i);
        rocksdb_writebatch_put(batch, (const char *)name, sizeof(name), value + i, size);
    }
    rocksdb_write(p->db, p->more, batch, &error);
    if (error)
        die("RocksDB", error);
    rocksdb_writebatch_destroy(batch);
}

static void rocks_close(struct peer *p)
{
    rocksdb_writeoptions_destroy(p->more);
    rocksdb_close(p->db);
}
#endif

#ifdef HAVE_SQLITE
static void sqlite_do(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        die("SQLite", sqlite3_errmsg(db));
}

static void sqlite_open(struct peer *p, const char *dir, bool synced)
{
    char path[600];
    sqlite3 *db;
    sqlite3_stmt *insert;
    snprintf(path, sizeof(path), "%s/db", dir);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        die("SQLite", path);
    sqlite_do(db, "PRAGMA journal_mode = WAL");
    sqlite_do(db, synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF");
    sqlite_do(db, "CREATE TABLE log (offset INTEGER PRIMARY KEY, value BLOB)");
    if (sqlite3_prepare_v2(db, "INSERT INTO log VALUES (?, ?)", -1, &insert, NULL) != SQLITE_OK)
        die("SQLite", sqlite3_errmsg(db));
    p->db = db;
    p->more = insert;
}

static void sqlite_append(struct peer *p, uint64_t first, size_t count, size_t size)
{
    if (count > 1)
        sqlite_do(p->db, "BEGIN");
    for (size_t i = 0; i < count; i++) {
        sqlite3_bind_int64(p->more, 1, (sqlite3_int64)(first + i));
        sqlite3_bind_blob(p->more, 2, value + i, (int)size, SQLITE_STATIC);
        if (sqlite3_step(p->more) != SQLITE_DONE)
            die("SQLite", sqlite3_errmsg(p->db));
        sqlite3_reset(p->more);
    }
    if (count > 1)
        sqlite_do(p->db, "COMMIT");
}

static void sqlite_close(struct peer *p)
{
    sqlite3_finalize(p->more);
    sqlite3_close(p->db);
}
#endif

struct work {
    const struct bench *b;
    struct peer *peer;
    size_t count, size;
    bool synced, gathered;
};

static double limit(void *arg, double seconds)
{
    const struct work *w = arg;
    char dir[512];
    uint64_t done = 0;
    bench_dir_new(w->b, dir, sizeof(dir));
    w->peer->open(w->peer, dir, w->synced);
    double start = bench_now(), now = start;
    while (now - start < seconds && done * w->size < BYTES_MAX) {
        for (int i = 0; i < (w->synced ? 1 : 16); i++, done += w->count)
            w->peer->append(w->peer, done, w->count, w->size);
        now = bench_now();
    }
    w->peer->close(w->peer);
    bench_dir_remove(dir);
    return (double)done / (now - start);
}

static double subject(void *arg, double seconds)
{
    const struct work *w = arg;
    static struct rollway_record records[RECORDS_MAX];
    const struct rollway_log_options options = {.size = sizeof(options),
                                                .durability = w->synced ? ROLLWAY_DURABLE_EACH
                                                                        : ROLLWAY_DURABLE_OS,
                                                .buffer_bytes = w->gathered ? 64 << 10 : 0};
    for (size_t i = 0; i < w->count; i++)
        records[i] = (struct rollway_record){
            .timestamp_ms = 1700000000000, .value = value + i, .value_size = w->size};
    struct rollway_log *log = bench_log_open(w->b, &options);
    uint64_t done = 0;
    double start = bench_now(), now = start;
    while (now - start < seconds && done * w->size < BYTES_MAX) {
        for (int i = 0; i < (w->synced ? 1 : 16); i++, done += w->count)
            if (rollway_log_append(log, records, w->count, NULL))
                bench_die("rollway_log_append");
        now = bench_now();
    }
    bench_log_close(w->b, log);
    return (double)done / (now - start);
}

static void against(struct bench *b, struct peer *p)
{
    static const struct {
        const char *name;
        size_t count, size;
        bool synced, gathered;
    } cases[] = {
        {"1 x 100 B, gathered", 1, 100, false, true},
        {"1 x 100 B", 1, 100, false, false},
        {"1000 x 100 B", 1000, 100, false, false},
        {"1000 x 1 KB", 1000, 1000, false, false},
        {"1 x 100 B, synced", 1, 100, true, false},
        {"1000 x 100 B, synced", 1000, 100, true, false},
    };
    if (!p->open) {
        printf("%s was not there when this was built: left out\n", p->name);
        return;
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct work w = {b, p, cases[i].count, cases[i].size, cases[i].synced, cases[i].gathered};
        bench_run(b, &(struct bench_case){.name = cases[i].name,
                                          .unit = "records/s",
                                          .limit_is = p->name,
                                          .scale = 1,
                                          .target = p->ratios[i],
                                          .limit = limit,
                                          .subject = subject,
                                          .arg = &w});
    }
}

int main(int argc, char **argv)
{
    struct bench b;
    struct peer peers[] = {
        {.name = "LMDB",
#ifdef HAVE_LMDB
         .open = lmdb_open,
         .append = lmdb_append,
         .close = lmdb_close,
#endif
         .ratios = {60, 0, 1.8, 0, 0, 1.5}},
        {.name = "RocksDB",
#ifdef HAVE_ROCKSDB
         .open = rocks_open,
         .append = rocks_append,
         .close = rocks_close,
#endif
         .ratios = {40, 0, 8, 0, 0, 2.5}},
        {.name = "SQLite",
#ifdef HAVE_SQLITE
         .open = sqlite_open,
         .append = sqlite_append,
         .close = sqlite_close,
#endif
         .ratios = {0, 0, 8, 0, 0, 2.5}},
    };
    bench_init(&b, argc, argv);
    memset(value, 'x', sizeof(value));
    for (size_t i = 0; i < sizeof(peers) / sizeof(*peers); i++)
        against(&b, &peers[i]);
    return 0;
}
