/* A spool in a folder of its own, and chunks for it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "logger/spool.h"
#include "os/os.h"

static struct rw_lg_spool_options spool_options;

static inline void spool_folder(void)
{
    memset(&spool_options, 0, sizeof(spool_options));
    strcpy(spool_options.dir, "/tmp/rollway-spool-XXXXXX");
    assert_non_null(mkdtemp(spool_options.dir));
    strcpy(spool_options.name, "app-b");
    spool_options.bytes = 64 * 1024 * 1024;
}

static inline void spool_folder_remove(void)
{
    char line[600];
    snprintf(line, sizeof(line), "rm -rf %s", spool_options.dir);
    assert_int_equal(system(line), 0);
}

static inline struct rw_lg_spool *spool_open_with(const struct rw_env *env)
{
    struct rw_lg_spool *s;
    struct rw_err err = {0};
    if (rw_lg_spool_open(env, &spool_options, &s, &err))
        fail_msg("%s", err.text);
    return s;
}

static inline struct rw_lg_spool *spool_open(void)
{
    return spool_open_with(rw_os_env());
}

static inline struct rw_lg_lane *spool_lane(struct rw_lg_spool *s, int32_t number)
{
    struct rw_lg_lane *l;
    assert_int_equal(rw_lg_spool_lane(s, "t", number, &l), RW_OK);
    return l;
}

/* A batch of `count` records with the values first, first + 1 ..., each filled up to `size` bytes. */
static inline struct rw_lg_spooled spool_batch(struct rw_lg_lane *l, int first, int count,
                                               size_t size)
{
    struct rw_builder b;
    struct rw_slice finished;
    char value[70000];
    rw_builder_init(&b);
    rw_builder_reset(&b, 0);
    for (int i = 0; i < count; i++) {
        int n = snprintf(value, sizeof(value), "%d", first + i);
        memset(value + n, '.', size > (size_t)n ? size - (size_t)n : 0);
        struct rw_record r = {.timestamp = 1000,
                              .value = rw_slice(value, size > (size_t)n ? size : (size_t)n)};
        assert_int_equal(rw_builder_add(&b, &r, NULL, 0), RW_OK);
    }
    assert_int_equal(rw_builder_finish(&b, &finished), RW_OK);
    struct rw_lg_spooled out = {.lane = l, .header = b.header, .count = count};
    rw_buf_add(&out.bytes, finished.p, finished.n);
    rw_builder_deinit(&b);
    return out;
}

/* One chunk of these batches. */
static inline int spool_put(struct rw_lg_spool *s, struct rw_lg_spooled *batches, size_t n,
                            bool *ret_dropped)
{
    int rc = rw_lg_spool_write(s, batches, n, ret_dropped);
    for (size_t i = 0; i < n; i++)
        rw_buf_deinit(&batches[i].bytes);
    return rc;
}

static inline void spool_put_one(struct rw_lg_spool *s, struct rw_lg_lane *l, int first, int count)
{
    struct rw_lg_spooled b = spool_batch(l, first, count, 0);
    bool dropped;
    assert_int_equal(spool_put(s, &b, 1, &dropped), RW_OK);
    assert_false(dropped);
}
