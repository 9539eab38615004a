/* The message codec of src/wire/message.c: properties over every message of schema/, and its rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "wire/messages.h"
#include "wire_messages.h"

/* More rounds for a long run: ROLLWAY_ROUNDS=100000. */
static uint64_t rounds(void)
{
    const char *text = getenv("ROLLWAY_ROUNDS");
    return text ? strtoull(text, NULL, 10) : 200;
}

static void write_read_write(const struct rw_desc *d, int16_t version, uint64_t seed)
{
    struct rw_test_rand rand = {seed};
    struct rw_arena arena;
    struct rw_writer w, again;
    struct rw_buf dump, dump_again;
    struct rw_reader r;
    rw_arena_init(&arena, 0);
    rw_writer_init(&w);
    rw_writer_init(&again);
    rw_buf_init(&dump);
    rw_buf_init(&dump_again);
    void *m = rw_test_random_message(d, version, &rand, 3, &arena);
    void *copy = rw_arena_alloc(&arena, d->size);
    assert_true(m && copy);
    memset(copy, 0xa5, d->size);
    rw_message_write(d, &w, version, m);
    assert_int_equal(rw_writer_code(&w), RW_OK);
    rw_reader_init(&r, w.buf.p, w.buf.n, &arena);
    if (rw_message_read(d, &r, version, copy) != RW_OK || rw_reader_left(&r))
        fail_msg("%s %d seed %llu: not read", d->name, version, (unsigned long long)seed);
    rw_message_write(d, &again, version, copy);
    assert_int_equal(rw_writer_code(&again), RW_OK);
    assert_int_equal(again.buf.n, w.buf.n);
    if (w.buf.n)
        assert_memory_equal(again.buf.p, w.buf.p, w.buf.n);
    rw_test_dump_message(d, version, m, &dump);
    rw_test_dump_message(d, version, copy, &dump_again);
    assert_string_equal(rw_buf_cstr(&dump), rw_buf_cstr(&dump_again));
    rw_buf_deinit(&dump);
    rw_buf_deinit(&dump_again);
    rw_writer_deinit(&w);
    rw_writer_deinit(&again);
    rw_arena_deinit(&arena);
}

static void test_write_read_write(void **state)
{
    (void)state;
    size_t n;
    const struct rw_desc *const *all = rw_message_table(&n);
    for (uint64_t seed = 1; seed <= rounds(); seed++) {
        const struct rw_desc *d = all[seed % n];
        for (int v = d->first; v <= d->last; v++)
            write_read_write(d, (int16_t)v, seed * 1000003);
    }
}

/* Damaged bytes: any outcome but a crash, and what was accepted can be written again. */
static void test_damaged_bytes(void **state)
{
    (void)state;
    size_t n;
    const struct rw_desc *const *all = rw_message_table(&n);
    struct rw_test_rand rand = {42};
    struct rw_arena arena;
    struct rw_writer w, again;
    struct rw_reader r;
    unsigned accepted = 0, refused = 0;
    rw_arena_init(&arena, 1 << 20);
    rw_writer_init(&w);
    rw_writer_init(&again);
    for (uint64_t i = 0; i < rounds() * 20; i++) {
        const struct rw_desc *d = all[i % n];
        int16_t v = (int16_t)(d->first + (int)(rw_test_next(&rand) % (d->last - d->first + 1u)));
        rw_arena_reset(&arena);
        rw_writer_clear(&w);
        rw_writer_clear(&again);
        void *m = rw_test_random_message(d, v, &rand, 3, &arena);
        rw_message_write(d, &w, v, m);
        if (!w.buf.n)
            continue;
        w.buf.p[rw_test_next(&rand) % w.buf.n] ^= (uint8_t)(1u << (rw_test_next(&rand) & 7));
        rw_reader_init(&r, w.buf.p, w.buf.n, &arena);
        if (rw_message_read(d, &r, v, m) != RW_OK) {
            refused++;
            continue;
        }
        rw_message_write(d, &again, v, m);
        assert_int_equal(rw_writer_code(&again), RW_OK);
        accepted++;
    }
    assert_true(accepted > 10 && refused > 10);
    rw_writer_deinit(&w);
    rw_writer_deinit(&again);
    rw_arena_deinit(&arena);
}

static void test_defaults(void **state)
{
    (void)state;
    struct rw_fetch_request m;
    memset(&m, 0xff, sizeof(m));
    rw_fetch_request_init(&m);
    assert_int_equal(m.cluster_id.n, -1);
    assert_int_equal(m.replica_id, -1);
    assert_int_equal(m.replica_state.replica_epoch, -1);
    assert_int_equal(m.max_bytes, INT32_MAX);
    assert_int_equal(m.n_topics, 0);
    assert_null(m.topics);
    assert_int_equal(m.rack_id.n, 0);
    struct rw_describe_topic_partitions_request_cursor *none = NULL;
    struct rw_describe_topic_partitions_request page;
    rw_describe_topic_partitions_request_init(&page);
    assert_ptr_equal(page.cursor, none);
    assert_int_equal(page.response_partition_limit, 2000);
    struct rw_offset_commit_request_topic element;
    rw_offset_commit_request_topic_init(&element);
    assert_int_equal(element.n_partitions, 0);
}

/* A field that the version does not have comes out as its default. */
static void test_absent_fields(void **state)
{
    (void)state;
    struct rw_metadata_request m, ret;
    struct rw_writer w;
    struct rw_reader r;
    rw_writer_init(&w);
    rw_metadata_request_init(&m);
    m.n_topics = -1;
    rw_metadata_request_write(&w, 1, &m);
    assert_int_equal(rw_writer_code(&w), RW_OK);
    rw_reader_init(&r, w.buf.p, w.buf.n, NULL);
    assert_int_equal(rw_metadata_request_read(&r, 1, &ret), RW_OK);
    assert_int_equal(ret.n_topics, -1);
    assert_true(ret.allow_auto_topic_creation);
    /* This one must not get lost on the way: the schema calls it strict. */
    m.allow_auto_topic_creation = false;
    rw_writer_clear(&w);
    rw_metadata_request_write(&w, 1, &m);
    assert_int_equal(rw_writer_code(&w), RW_E_UNSUPPORTED);
    rw_writer_clear(&w);
    rw_metadata_request_write(&w, 4, &m);
    assert_int_equal(rw_writer_code(&w), RW_OK);
    rw_writer_deinit(&w);
}

static void test_null_where_it_is_not_allowed(void **state)
{
    (void)state;
    struct rw_metadata_request m, ret;
    struct rw_writer w;
    struct rw_reader r;
    rw_writer_init(&w);
    rw_metadata_request_init(&m);
    m.n_topics = -1;
    rw_metadata_request_write(&w, 0, &m);
    assert_int_equal(rw_writer_code(&w), RW_E_INVAL);
    rw_reader_init(&r, "\xff\xff\xff\xff", 4, NULL);
    assert_int_equal(rw_metadata_request_read(&r, 0, &ret), RW_E_CORRUPT);
    struct rw_sasl_handshake_request sasl;
    rw_sasl_handshake_request_init(&sasl);
    sasl.mechanism = RW_STR_NULL;
    rw_writer_clear(&w);
    rw_sasl_handshake_request_write(&w, 0, &sasl);
    assert_int_equal(rw_writer_code(&w), RW_E_INVAL);
    rw_writer_deinit(&w);
}

static void test_unknown_versions(void **state)
{
    (void)state;
    struct rw_fetch_request m;
    struct rw_writer w;
    struct rw_reader r;
    rw_writer_init(&w);
    rw_fetch_request_init(&m);
    static const int16_t wrong[] = {-1, 3, 19, INT16_MIN, INT16_MAX};
    for (size_t i = 0; i < 5; i++) {
        rw_writer_clear(&w);
        rw_fetch_request_write(&w, wrong[i], &m);
        assert_int_equal(rw_writer_code(&w), RW_E_UNSUPPORTED);
        rw_reader_init(&r, "", 0, NULL);
        assert_int_equal(rw_fetch_request_read(&r, wrong[i], &m), RW_E_UNSUPPORTED);
    }
    rw_writer_deinit(&w);
}

/* api_versions_request 3: two compact strings, then tags. */
static int read_api_versions(const char *p, size_t n, struct rw_api_versions_request *ret)
{
    struct rw_reader r;
    rw_reader_init(&r, p, n, NULL);
    int code = rw_api_versions_request_read(&r, 3, ret);
    return code ? code : rw_reader_left(&r) ? RW_E_TOO_BIG : RW_OK;
}

#define READ(text) read_api_versions(text, sizeof(text) - 1, &m)

static void test_tags(void **state)
{
    (void)state;
    struct rw_api_versions_request m;
    assert_int_equal(READ("\2a\2b\0"), RW_OK);
    assert_true(rw_str_is(m.client_software_name, "a"));
    assert_true(rw_str_is(m.client_software_version, "b"));
    assert_int_equal(READ("\2a\2b\2\x63\3xyz\x64\0"), RW_OK);
    assert_int_equal(READ("\2a\2b\1\x63\4xyz"), RW_E_SHORT);
    assert_int_equal(READ("\2a\2b\xff\xff\xff\xff\x0f"), RW_E_SHORT);
}

static void test_known_tag_must_fill_its_size(void **state)
{
    (void)state;
    /* api_versions_response 3: error, no keys, throttle time, then tag 1 (int64) */
    static const char good[] = "\0\0\1\0\0\0\0\1\1\x08\0\0\0\0\0\0\0\7";
    static const char long_size[] = "\0\0\1\0\0\0\0\1\1\x09\0\0\0\0\0\0\0\7\0";
    static const char short_size[] = "\0\0\1\0\0\0\0\1\1\x07\0\0\0\0\0\0\0\7";
    struct rw_api_versions_response m;
    struct rw_reader r;
    rw_reader_init(&r, good, sizeof(good) - 1, NULL);
    assert_int_equal(rw_api_versions_response_read(&r, 3, &m), RW_OK);
    assert_int_equal(m.finalized_features_epoch, 7);
    rw_reader_init(&r, long_size, sizeof(long_size) - 1, NULL);
    assert_int_equal(rw_api_versions_response_read(&r, 3, &m), RW_E_CORRUPT);
    rw_reader_init(&r, short_size, sizeof(short_size) - 1, NULL);
    assert_int_equal(rw_api_versions_response_read(&r, 3, &m), RW_E_SHORT);
}

/* The size of a tagged field that needs two and three bytes. */
static void test_large_tagged_field(void **state)
{
    (void)state;
    struct rw_arena arena;
    struct rw_writer w;
    struct rw_reader r;
    rw_arena_init(&arena, 0);
    rw_writer_init(&w);
    static const int32_t counts[] = {1, 20, 2000};
    for (size_t i = 0; i < 3; i++) {
        struct rw_api_versions_response m, ret;
        rw_api_versions_response_init(&m);
        m.n_finalized_features = counts[i];
        m.finalized_features =
            rw_arena_array(&arena, (size_t)counts[i], sizeof(*m.finalized_features));
        for (int32_t k = 0; k < counts[i]; k++) {
            rw_api_versions_response_finalized_feature_init(&m.finalized_features[k]);
            m.finalized_features[k].name = RW_STR_LIT("feature");
            m.finalized_features[k].max_version_level = (int16_t)k;
        }
        rw_writer_clear(&w);
        rw_api_versions_response_write(&w, 4, &m);
        assert_int_equal(rw_writer_code(&w), RW_OK);
        rw_reader_init(&r, w.buf.p, w.buf.n, &arena);
        assert_int_equal(rw_api_versions_response_read(&r, 4, &ret), RW_OK);
        assert_int_equal(rw_reader_left(&r), 0);
        assert_int_equal(ret.n_finalized_features, counts[i]);
        assert_int_equal(ret.finalized_features[counts[i] - 1].max_version_level, counts[i] - 1);
    }
    rw_writer_deinit(&w);
    rw_arena_deinit(&arena);
}

static void test_counts_are_checked_before_memory(void **state)
{
    (void)state;
    struct rw_create_topics_request m;
    struct rw_arena arena;
    struct rw_reader r;
    rw_arena_init(&arena, 0);
    /* 2^31 - 1 topics announced in eight bytes */
    rw_reader_init(&r, "\x7f\xff\xff\xff\0\0\0\0", 8, &arena);
    rw_mem_fail_at(0, 0);
    assert_int_equal(rw_create_topics_request_read(&r, 2, &m), RW_E_CORRUPT);
    assert_int_equal(rw_mem_count(), 0);
    rw_arena_deinit(&arena);
}

static void test_arena_limit(void **state)
{
    (void)state;
    struct rw_metadata_request m;
    struct rw_arena arena;
    struct rw_reader r;
    /* 1000 empty names: 2 bytes each on the wire, far more in memory */
    static uint8_t bytes[4 + 2000];
    bytes[2] = 1000 >> 8;
    bytes[3] = 1000 & 0xff;
    rw_arena_init(&arena, 4096);
    rw_reader_init(&r, bytes, sizeof(bytes), &arena);
    assert_int_equal(rw_metadata_request_read(&r, 1, &m), RW_E_NOMEM);
    rw_arena_deinit(&arena);
    rw_arena_init(&arena, 1000 * sizeof(struct rw_metadata_request_topic));
    rw_reader_init(&r, bytes, sizeof(bytes), &arena);
    assert_int_equal(rw_metadata_request_read(&r, 1, &m), RW_OK);
    assert_int_equal(m.n_topics, 1000);
    rw_arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_read_write),
        cmocka_unit_test(test_damaged_bytes),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_absent_fields),
        cmocka_unit_test(test_null_where_it_is_not_allowed),
        cmocka_unit_test(test_unknown_versions),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_known_tag_must_fill_its_size),
        cmocka_unit_test(test_large_tagged_field),
        cmocka_unit_test(test_counts_are_checked_before_memory),
        cmocka_unit_test(test_arena_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
