/* The simulated disk: what it must keep, what it must be able to lose, and that a seed decides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sim/disk.h"
#include "sim/rand.h"

static struct rw_file *open_file(struct rw_sim_disk *d, const char *path, unsigned flags)
{
    struct rw_file *f = NULL;
    assert_int_equal(rw_vfs_open(rw_sim_disk_vfs(d), path, flags, &f), RW_OK);
    return f;
}

#define CREATE (RW_OPEN_WRITE | RW_OPEN_CREATE)

static void put(struct rw_file *f, uint64_t at, const char *s)
{
    assert_int_equal(rw_file_write_at(f, at, s, strlen(s)), RW_OK);
}

/* Content as a string; "-" when the file does not exist. */
static const char *content(struct rw_sim_disk *d, const char *path)
{
    static char text[8192];
    struct rw_file *f;
    size_t n;
    if (rw_vfs_open(rw_sim_disk_vfs(d), path, RW_OPEN_READ, &f) == RW_E_NOT_FOUND)
        return "-";
    assert_int_equal(rw_file_read_at(f, 0, text, sizeof(text) - 1, &n), RW_OK);
    text[n] = '\0';
    rw_file_close(f);
    return text;
}

static int sync_dir(struct rw_sim_disk *d, const char *path)
{
    return rw_sim_disk_vfs(d)->ops->sync_dir(rw_sim_disk_vfs(d), path);
}

static int rename_file(struct rw_sim_disk *d, const char *from, const char *to)
{
    return rw_sim_disk_vfs(d)->ops->rename(rw_sim_disk_vfs(d), from, to);
}

/* A file that is durable with its name. */
static void durable_file(struct rw_sim_disk *d, const char *path, const char *text)
{
    struct rw_file *f = open_file(d, path, CREATE);
    put(f, 0, text);
    assert_int_equal(f->ops->sync_data(f), RW_OK);
    rw_file_close(f);
    assert_int_equal(sync_dir(d, "/"), RW_OK);
}

enum { SEEDS = 200 };

static void synced_data_survives(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct rw_sim_disk *d = rw_sim_disk_new(seed, NULL);
        durable_file(d, "/a", "kept");
        struct rw_file *f = open_file(d, "/a", RW_OPEN_WRITE);
        put(f, 4, "+tail");
        rw_file_close(f);
        rw_sim_disk_restart(d, seed);
        assert_memory_equal(content(d, "/a"), "kept", 4);
        rw_sim_disk_free(d);
    }
}

/* Each of the outcomes must come up, else the crash tests would test less than they say. */
static void unsynced_data_has_every_fate(void **state)
{
    (void)state;
    int kept = 0, lost = 0, torn = 0, zeros = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct rw_sim_disk *d = rw_sim_disk_new(seed, NULL);
        durable_file(d, "/a", "");
        char block[2048];
        memset(block, 'x', sizeof(block));
        struct rw_file *f = open_file(d, "/a", RW_OPEN_WRITE);
        assert_int_equal(rw_file_write_at(f, 0, block, sizeof(block)), RW_OK);
        rw_file_close(f);
        rw_sim_disk_restart(d, seed);
        char got[2048] = {0};
        size_t n, x = 0;
        f = open_file(d, "/a", RW_OPEN_READ);
        assert_int_equal(rw_file_read_at(f, 0, got, sizeof(got), &n), RW_OK);
        rw_file_close(f);
        for (size_t i = 0; i < n; i++) {
            assert_true(got[i] == 'x' || got[i] == 0);
            assert_int_equal(got[i], got[i / 512 * 512]); /* whole sectors */
            x += got[i] == 'x';
        }
        kept += x == sizeof(block);
        lost += n == 0;
        torn += x > 0 && x < sizeof(block);
        zeros += n > 0 && x == 0;
        rw_sim_disk_free(d);
    }
    assert_true(kept > 10 && lost > 10 && torn > 10 && zeros > 0);
}

static void names_need_their_directory_synced(void **state)
{
    (void)state;
    int there = 0, old_there = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct rw_sim_disk *d = rw_sim_disk_new(seed, NULL);
        struct rw_file *f = open_file(d, "/new", CREATE);
        put(f, 0, "x");
        assert_int_equal(f->ops->sync_data(f), RW_OK);
        rw_file_close(f);
        rw_sim_disk_restart(d, seed);
        there += !strcmp(content(d, "/new"), "x");
        durable_file(d, "/old", "y");
        assert_int_equal(rw_sim_disk_vfs(d)->ops->unlink(rw_sim_disk_vfs(d), "/old"), RW_OK);
        assert_string_equal(content(d, "/old"), "-");
        rw_sim_disk_restart(d, seed + 1000);
        old_there += !strcmp(content(d, "/old"), "y");
        rw_sim_disk_free(d);
    }
    assert_true(there > 20 && there < SEEDS - 20);
    assert_true(old_there > 20 && old_there < SEEDS - 20);
}

/* The way checkpoints are replaced: always the old or the new content, whole. */
static void replace_is_atomic(void **state)
{
    (void)state;
    int old = 0, new = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct rw_sim_disk *d = rw_sim_disk_new(seed, NULL);
        durable_file(d, "/c", "old");
        struct rw_file *f = open_file(d, "/c.tmp", CREATE);
        put(f, 0, "new");
        assert_int_equal(f->ops->sync_data(f), RW_OK);
        rw_file_close(f);
        assert_int_equal(rename_file(d, "/c.tmp", "/c"), RW_OK);
        if (seed % 2)
            assert_int_equal(sync_dir(d, "/"), RW_OK);
        rw_sim_disk_restart(d, seed);
        const char *got = content(d, "/c");
        if (seed % 2 || !strcmp(got, "new")) {
            assert_string_equal(got, "new");
            assert_string_equal(content(d, "/c.tmp"), "-");
            new ++;
        } else {
            assert_string_equal(got, "old");
            old++;
        }
        rw_sim_disk_free(d);
    }
    assert_true(old > 10 && new > SEEDS / 2 + 10);
}

static void a_directory_takes_its_files_along(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct rw_sim_disk *d = rw_sim_disk_new(seed, NULL);
        struct rw_vfs *v = rw_sim_disk_vfs(d);
        assert_int_equal(v->ops->mkdir(v, "/p"), RW_OK);
        struct rw_file *f = open_file(d, "/p/a", CREATE);
        put(f, 0, "x");
        assert_int_equal(f->ops->sync_full(f), RW_OK);
        rw_file_close(f);
        assert_int_equal(sync_dir(d, "/p"), RW_OK);
        if (seed % 2)
            assert_int_equal(sync_dir(d, "/"), RW_OK);
        rw_sim_disk_restart(d, seed);
        struct rw_stat st;
        int code = v->ops->stat(v, "/p", &st);
        assert_true(code == RW_OK || seed % 2 == 0);
        assert_string_equal(content(d, "/p/a"), code == RW_OK ? "x" : "-");
        rw_sim_disk_free(d);
    }
}

/* A failed fsync: later ones through a new handle "succeed", and the data is gone all the same. */
static void a_failed_sync_loses_pages(void **state)
{
    (void)state;
    int lost = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct rw_sim_disk *d = rw_sim_disk_new(seed, NULL);
        durable_file(d, "/a", "");
        struct rw_file *f = open_file(d, "/a", RW_OPEN_WRITE);
        put(f, 0, "gone");
        rw_sim_disk_arm(d, &(struct rw_sim_faults){.sync_at = 1});
        assert_int_equal(f->ops->sync_data(f), RW_E_IO);
        assert_int_equal(f->ops->sync_data(f), RW_E_IO);
        rw_file_close(f);
        f = open_file(d, "/a", RW_OPEN_WRITE);
        assert_int_equal(f->ops->sync_data(f), RW_OK);
        assert_string_equal(content(d, "/a"), "gone"); /* still in the cache */
        char seen[8] = {0};
        bool show = seed % 2;
        if (show) {
            f->ops->advise(f, 0, 0, false);
            assert_false(f->ops->is_cached(f, 0, 4));
            snprintf(seen, sizeof(seen), "%s", content(d, "/a"));
        }
        rw_file_close(f);
        rw_sim_disk_restart(d, seed);
        lost += strcmp(content(d, "/a"), "gone") != 0;
        if (show)
            assert_string_equal(content(d, "/a"), seen);
        rw_sim_disk_free(d);
    }
    assert_true(lost > 20);
}

static void power_fails_at_the_nth_change(void **state)
{
    (void)state;
    struct rw_sim_disk *d = rw_sim_disk_new(1, NULL);
    durable_file(d, "/a", "one");
    rw_sim_disk_arm(d, &(struct rw_sim_faults){.cut_at = 2});
    struct rw_file *f = open_file(d, "/a", RW_OPEN_WRITE);
    put(f, 0, "two");
    assert_int_equal(rw_file_write_at(f, 3, "three", 5), RW_E_IO);
    assert_true(rw_sim_disk_is_cut(d));
    char c;
    size_t n;
    uint64_t size;
    assert_int_equal(rw_file_read_at(f, 0, &c, 1, &n), RW_E_IO);
    assert_int_equal(f->ops->sync_data(f), RW_E_IO);
    assert_int_equal(f->ops->size(f, &size), RW_E_IO);
    assert_int_equal(rename_file(d, "/a", "/b"), RW_E_IO);
    rw_file_close(f);
    rw_sim_disk_restart(d, 1);
    assert_false(rw_sim_disk_is_cut(d));
    assert_string_equal(content(d, "/b"), "-");
    assert_string_not_equal(content(d, "/a"), "-");
    rw_sim_disk_free(d);
}

static void space_runs_out_and_comes_back(void **state)
{
    (void)state;
    struct rw_sim_disk *d = rw_sim_disk_new(1, &(struct rw_sim_disk_options){.capacity = 16384});
    struct rw_vfs *v = rw_sim_disk_vfs(d);
    char block[4096] = {0};
    struct rw_file *f = open_file(d, "/a", CREATE);
    assert_int_equal(f->ops->reserve(f, 8192), RW_OK);
    struct rw_space space;
    assert_int_equal(v->ops->space(v, "/", &space), RW_OK);
    assert_int_equal(space.total, 16384);
    assert_int_equal(space.available, 16384 - 8192 - 2 * 512);
    assert_int_equal(rw_file_write_at(f, 0, block, 4096), RW_OK);
    assert_int_equal(f->ops->reserve(f, 1 << 20), RW_E_FULL);
    struct rw_iov iov[3] = {{block, 4096}, {block, 4096}, {block, 4096}};
    assert_int_equal(f->ops->write_at(f, 4096, iov, 3), RW_E_FULL);
    uint64_t size;
    assert_int_equal(f->ops->size(f, &size), RW_OK);
    assert_int_equal(size, 12288); /* what fitted */
    rw_file_close(f);
    assert_int_equal(v->ops->unlink(v, "/a"), RW_OK);
    f = open_file(d, "/b", CREATE);
    assert_int_equal(f->ops->write_at(f, 0, iov, 3), RW_OK);
    rw_file_close(f);
    rw_sim_disk_free(d);
}

static void faults_on_demand(void **state)
{
    (void)state;
    struct rw_sim_disk *d = rw_sim_disk_new(7, NULL);
    struct rw_file *f = open_file(d, "/a", CREATE), *g;
    char c;
    size_t n;
    rw_sim_disk_arm(d, &(struct rw_sim_faults){.write_at = 2, .read_at = 1, .full_at = 3});
    put(f, 0, "ok");
    assert_int_equal(rw_file_write_at(f, 2, "no", 2), RW_E_IO);
    assert_int_equal(rw_file_read_at(f, 0, &c, 1, &n), RW_E_IO);
    assert_int_equal(rw_file_read_at(f, 0, &c, 1, &n), RW_OK);
    assert_int_equal(rw_vfs_open(rw_sim_disk_vfs(d), "/b", CREATE, &g), RW_E_FULL);
    assert_int_equal(rw_sim_disk_rot(d, "/a", 1, 0x01), RW_OK);
    assert_memory_equal(content(d, "/a"), "oj", 2);
    assert_int_equal(rw_sim_disk_rot(d, "/a", 100, 1), RW_E_RANGE);
    rw_file_close(f);
    rw_sim_disk_free(d);
}

/* Everything stays in step through writes, a hole and a truncation. */
static void maps_and_locks(void **state)
{
    (void)state;
    struct rw_sim_disk *d = rw_sim_disk_new(1, NULL);
    struct rw_file *f = open_file(d, "/a", CREATE), *g = open_file(d, "/a", RW_OPEN_WRITE);
    const void *map;
    assert_int_equal(f->ops->map(f, 4096, &map), RW_OK);
    put(g, 4, "abcd");
    assert_memory_equal(map, "\0\0\0\0abcd\xdd", 9);
    assert_int_equal(g->ops->truncate(g, 6), RW_OK);
    assert_memory_equal(map, "\0\0\0\0ab\xdd\xdd", 8);
    assert_int_equal(f->ops->lock(f), RW_OK);
    assert_int_equal(g->ops->lock(g), RW_E_LOCKED);
    f->ops->unmap(f, map, 4096);
    rw_file_close(f);
    assert_int_equal(g->ops->lock(g), RW_OK);
    rw_file_close(g);
    rw_sim_disk_free(d);
}

static uint64_t run(uint64_t seed, char *ret_text, size_t n)
{
    struct rw_sim_disk *d = rw_sim_disk_new(seed, NULL);
    struct rw_sim_rand r;
    rw_sim_rand_init(&r, seed);
    for (int i = 0; i < 100; i++) {
        char path[16];
        snprintf(path, sizeof(path), "/%d", (int)rw_sim_rand_below(&r, 5));
        struct rw_file *f = open_file(d, path, CREATE);
        put(f, rw_sim_rand_below(&r, 3000), "data");
        if (rw_sim_rand_chance(&r, 30))
            assert_int_equal(f->ops->sync_data(f), RW_OK);
        rw_file_close(f);
    }
    rw_sim_disk_restart(d, seed);
    snprintf(ret_text, n, "%s", content(d, "/1"));
    struct rw_sim_disk_stats stats;
    rw_sim_disk_stats(d, &stats);
    rw_sim_disk_free(d);
    return stats.trace;
}

static void a_seed_decides_everything(void **state)
{
    (void)state;
    static char a[8192], b[8192];
    assert_int_equal(run(1, a, sizeof(a)), run(1, b, sizeof(b)));
    assert_string_equal(a, b);
    assert_int_not_equal(run(1, a, sizeof(a)), run(2, b, sizeof(b)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(synced_data_survives),
                                       cmocka_unit_test(unsynced_data_has_every_fate),
                                       cmocka_unit_test(names_need_their_directory_synced),
                                       cmocka_unit_test(replace_is_atomic),
                                       cmocka_unit_test(a_directory_takes_its_files_along),
                                       cmocka_unit_test(a_failed_sync_loses_pages),
                                       cmocka_unit_test(power_fails_at_the_nth_change),
                                       cmocka_unit_test(space_runs_out_and_comes_back),
                                       cmocka_unit_test(faults_on_demand),
                                       cmocka_unit_test(maps_and_locks),
                                       cmocka_unit_test(a_seed_decides_everything)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
