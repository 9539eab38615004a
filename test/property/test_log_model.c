/*
 * The log against an array: thousands of random operations, among them reopening after a clean and an
 * unclean end, with indexes removed or filled with rubbish. After each step what can be read equals
 * the array. A failing run prints its seed.
 */
#include "log_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OFFSETS_MAX 200000
#define STEPS       400

struct model {
    struct log_test t;
    uint64_t seed;
    int64_t start, end;
    uint64_t *id;  /* per offset; 0: nothing there (cut off) */
    int64_t *base; /* first offset of the batch */
    int64_t *ts;
    int64_t now;
};

static uint64_t draw(struct model *m)
{
    m->seed ^= m->seed << 13;
    m->seed ^= m->seed >> 7;
    m->seed ^= m->seed << 17;
    return m->seed;
}

static uint64_t below(struct model *m, uint64_t n)
{
    return draw(m) % n;
}

static void append(struct model *m)
{
    int count = 1 + (int)below(m, 12);
    if (m->end + count >= OFFSETS_MAX)
        return;
    struct rw_builder b;
    rw_builder_init(&b);
    b.codec = below(m, 4) == 0 ? RW_CODEC_LZ4 : RW_CODEC_NONE;
    rw_builder_reset(&b, 0);
    m->now += (int64_t)below(m, 5);
    int64_t end = rw_log_end(m->t.log);
    assert_int_equal(end, m->end);
    for (int i = 0; i < count; i++) {
        uint8_t value[600];
        uint64_t id = draw(m) | 1;
        memset(value, 'x', sizeof(value));
        memcpy(value, &id, sizeof(id));
        int64_t ts = m->now - (int64_t)below(m, 20);
        const struct rw_record record = {
            .offset = i, .timestamp = ts, .value = rw_slice(value, 8 + below(m, 592))};
        assert_int_equal(rw_builder_add(&b, &record, NULL, 0), RW_OK);
        m->id[end + i] = id;
        m->base[end + i] = end;
        m->ts[end + i] = ts;
    }
    struct rw_slice batch;
    struct rw_append_info info;
    assert_int_equal(rw_builder_finish(&b, &batch), RW_OK);
    const struct rw_append_args args = {
        .leader_epoch = (int32_t)(end / 1000), .as_leader = true, .now_ms = m->now};
    assert_int_equal(rw_log_append(m->t.log, b.finished->p, batch.n, &args, &info), RW_OK);
    assert_int_equal(info.first_offset, end);
    m->end = end + count;
    rw_builder_deinit(&b);
}

/* Everything that the array has in [offset, limit) must come, in order, and nothing else. */
static void check_range(struct model *m, int64_t offset, int64_t limit, size_t max_bytes)
{
    struct rw_records r = {0};
    int64_t at = offset;
    while (at < limit) {
        struct rw_log_range range;
        assert_int_equal(rw_log_read(m->t.log, at, limit, max_bytes, true, &range), RW_OK);
        if (!range.n)
            break;
        uint8_t *p = malloc(range.n);
        size_t got;
        assert_int_equal(rw_file_read_at(range.file, range.at, p, range.n, &got), RW_OK);
        assert_int_equal(got, range.n);
        for (size_t done = 0; done < range.n;) {
            struct rw_batch b;
            assert_int_equal(rw_batch_check(p + done, range.n - done, &b), RW_OK);
            assert_true(rw_batch_last_offset(&b) < limit);
            assert_int_equal(rw_records_open(&r, p + done, rw_batch_size(&b)), RW_OK);
            struct rw_record record;
            while (rw_records_next(&r, &record) == 1) {
                if (record.offset < at)
                    continue;
                for (; at < record.offset; at++)
                    assert_int_equal(m->id[at], 0);
                assert_memory_equal(record.value.p, &m->id[at], 8);
                at++;
            }
            done += rw_batch_size(&b);
        }
        free(p);
        rw_log_range_release(&range);
    }
    /* What did not come is a gap, or belongs to a batch that ends at or above the limit. */
    for (; at < limit; at++)
        assert_true(m->id[at] == 0 || limit < m->end);
    rw_records_deinit(&r);
}

static void read_some(struct model *m)
{
    if (m->end == m->start)
        return;
    int64_t from = m->start + (int64_t)below(m, (uint64_t)(m->end - m->start));
    int64_t limit = below(m, 2) ? m->end : from + (int64_t)below(m, (uint64_t)(m->end - from) + 1);
    check_range(m, from, limit, below(m, 3) ? 100 + below(m, 20000) : 1 << 20);
}

static void truncate_some(struct model *m)
{
    int64_t span = m->end - m->start;
    if (!span)
        return;
    int64_t to = m->end - (int64_t)below(m, (uint64_t)(span < 300 ? span : 300));
    assert_int_equal(rw_log_truncate(m->t.log, to), RW_OK);
    /* A batch that straddles the cut goes as a whole. */
    int64_t from = to < m->end && m->id[to] ? m->base[to] : to;
    for (int64_t i = from; i < m->end; i++)
        m->id[i] = 0;
    m->end = to;
    if (m->start > m->end)
        m->start = m->end;
}

static void trim_some(struct model *m)
{
    int64_t to = m->start + (int64_t)below(m, (uint64_t)(m->end - m->start) / 4 + 1);
    assert_int_equal(rw_log_trim(m->t.log, to), RW_OK);
    m->start = to;
}

static void retain_some(struct model *m)
{
    struct rw_log_config c = m->t.config;
    c.retention_bytes = (int64_t)rw_log_bytes(m->t.log) - (int64_t)below(m, 30000);
    if (c.retention_bytes < 0)
        c.retention_bytes = 0;
    rw_log_configure(m->t.log, &c);
    int deleted;
    assert_int_equal(rw_log_retain(m->t.log, m->now, m->end, &deleted), RW_OK);
    rw_log_configure(m->t.log, &m->t.config);
    if (below(m, 2))
        rw_log_unlink_deleted(m->t.log, INT64_MAX);
    int64_t start = rw_log_start(m->t.log);
    assert_true(start >= m->start && start <= m->end);
    m->start = start;
}

static void spoil_indexes(struct model *m)
{
    char command[400];
    const char *suffix = below(m, 2) ? "index" : "timeindex";
    const char *how[] = {
        "rm -f $f",
        "head -c 96 /dev/urandom > $f",
        "truncate -s $(($(stat -c %s $f) / 24 / 2 * 24)) $f", /* a whole number of entries */
        "truncate -s 24 $f",
    };
    snprintf(command, sizeof(command), "for f in %s/*.%s; do %s; done", m->t.dir, suffix,
             how[below(m, 4)]);
    assert_int_equal(system(command), 0);
}

static void reopen(struct model *m)
{
    bool clean = below(m, 2);
    int64_t durable = rw_log_durable(m->t.log);
    log_test_close(&m->t, clean);
    if (below(m, 3) == 0)
        spoil_indexes(m);
    struct rw_log_open_args args = {
        .clean = clean, .recovery_point = clean ? m->end : durable, .start_offset = m->start};
    assert_int_equal(rw_log_open(&m->t.env, m->t.dir, &m->t.config, &args, &m->t.log), RW_OK);
    assert_int_equal(rw_log_start(m->t.log), m->start);
    /* A gap at the very end is not written anywhere: after a cut inside of a batch the end may come
     * back as the end of what is there. */
    int64_t end = rw_log_end(m->t.log);
    assert_true(end <= m->end);
    for (int64_t i = end; i < m->end; i++)
        assert_int_equal(m->id[i], 0);
    m->end = end;
    if (m->start > m->end)
        m->start = m->end;
}

static void find_some(struct model *m)
{
    int64_t ts = m->now - (int64_t)below(m, 300), want = -1;
    for (int64_t i = m->start; i < m->end && want < 0; i++)
        if (m->id[i] && m->ts[i] >= ts)
            want = i;
    struct rw_log_position at;
    assert_int_equal(rw_log_find_time(m->t.log, ts, INT64_MAX, &at), RW_OK);
    assert_int_equal(at.offset, want);
    if (want >= 0)
        assert_int_equal(at.timestamp, m->ts[want]);
}

static void find_newest(struct model *m)
{
    struct rw_log_position at;
    int64_t newest = -1;
    for (int64_t i = m->start; i < m->end; i++)
        if (m->id[i] && (newest < 0 || m->ts[i] > m->ts[newest]))
            newest = i;
    assert_int_equal(rw_log_max_time(m->t.log, &at), RW_OK);
    assert_int_equal(at.offset, newest);
}

static void check_all(struct model *m)
{
    find_newest(m);
    assert_int_equal(rw_log_end(m->t.log), m->end);
    assert_int_equal(rw_log_start(m->t.log), m->start);
    check_range(m, m->start, m->end, 1 << 20);
    struct rw_log_verify v = {0};
    assert_int_equal(rw_log_verify(m->t.log, &v), RW_OK);
    assert_int_equal(v.bad_batches, 0);
    assert_int_equal(v.bad_index_entries, 0);
}

static void step(struct model *m)
{
    uint64_t what = below(m, 100);
    if (what < 55)
        append(m);
    else if (what < 75)
        read_some(m);
    else if (what < 82)
        find_some(m);
    else if (what < 85)
        truncate_some(m);
    else if (what < 88)
        trim_some(m);
    else if (what < 91)
        retain_some(m);
    else if (what < 93)
        assert_int_equal(rw_log_roll(m->t.log), RW_OK);
    else if (what < 96)
        assert_int_equal(rw_log_flush(m->t.log, NULL), RW_OK);
    else
        reopen(m);
}

static void run(uint64_t seed)
{
    struct model m = {.seed = seed * 0x9e3779b97f4a7c15u + 1, .now = 100000};
    m.id = calloc(OFFSETS_MAX, sizeof(*m.id));
    m.base = calloc(OFFSETS_MAX, sizeof(*m.base));
    m.ts = calloc(OFFSETS_MAX, sizeof(*m.ts));
    log_test_init(&m.t);
    m.t.config.segment_bytes = 3000 + (int64_t)below(&m, 60000);
    m.t.config.index_interval_bytes = (int64_t)below(&m, 3000);
    m.t.config.preallocate = below(&m, 2);
    m.t.config.zeros_ahead_bytes = (int64_t)below(&m, 20000);
    assert_int_equal(log_test_open(&m.t, false, 0), RW_OK);
    for (int i = 0; i < STEPS; i++)
        step(&m);
    check_all(&m);
    log_test_deinit(&m.t);
    free(m.id);
    free(m.base);
    free(m.ts);
}

static void equals_an_array(void **state)
{
    (void)state;
    const char *only = getenv("RW_SEED"), *count = getenv("RW_SEEDS");
    uint64_t seeds = count ? strtoull(count, NULL, 10) : 40;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        if (only && strtoull(only, NULL, 10) != seed)
            continue;
        fprintf(stderr, "\rseed %llu ", (unsigned long long)seed);
        run(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_an_array)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
