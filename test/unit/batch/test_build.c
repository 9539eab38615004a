/* build.c and records.c: what is built is what is read, for every codec, null, gap and limit. */
#include "sample.h"

static void expect_sample(struct rw_records *r, const void *p, size_t n, int count)
{
    struct rw_record record;
    assert_int_equal(rw_records_open(r, p, n), RW_OK);
    for (int i = 0; i < count; i++) {
        char key[32], value[64];
        int n_key = snprintf(key, sizeof(key), "key-%d", i);
        snprintf(value, sizeof(value), "value number %d of a batch, a little repetitive", i);
        assert_int_equal(rw_records_next(r, &record), 1);
        assert_int_equal(record.offset, i);
        assert_int_equal(record.timestamp, SAMPLE_TIME + i * 10);
        assert_int_equal(record.key.n, n_key);
        assert_memory_equal(record.key.p, key, record.key.n);
        assert_int_equal(record.value.n, strlen(value));
        assert_memory_equal(record.value.p, value, record.value.n);
        struct rw_record_header h;
        struct rw_slice headers = record.headers;
        if (i % 3 == 0) {
            assert_int_equal(rw_record_next_header(&headers, &h), 1);
            assert_true(rw_str_is(h.key, "h"));
            assert_true(rw_slice_eq(h.value, text("x")));
        }
        assert_int_equal(rw_record_next_header(&headers, &h), 0);
    }
    assert_int_equal(rw_records_next(r, &record), 0);
    assert_int_equal(rw_records_next(r, &record), 0);
}

static void every_codec_comes_back(void **state)
{
    (void)state;
    struct rw_records r = {0};
    for (int codec = RW_CODEC_NONE; codec <= RW_CODEC_ZSTD; codec++)
        for (int count = 1; count < 3000; count = count * 7 + 1) {
            size_t n;
            uint8_t *p = sample_batch((enum rw_codec)codec, count, &n);
            struct rw_batch b;
            assert_int_equal(rw_batch_check(p, n, &b), RW_OK);
            assert_int_equal(rw_batch_size(&b), n);
            assert_int_equal(rw_batch_codec(&b), codec);
            assert_int_equal(b.records_count, count);
            assert_int_equal(b.last_offset_delta, count - 1);
            assert_int_equal(b.base_timestamp, SAMPLE_TIME);
            assert_int_equal(b.max_timestamp, SAMPLE_TIME + (count - 1) * 10);
            expect_sample(&r, p, n, count);
            free(p);
        }
    rw_records_deinit(&r);
}

static void null_is_not_empty(void **state)
{
    (void)state;
    struct rw_builder b;
    struct rw_slice out;
    struct rw_records r = {0};
    struct rw_record got;
    struct rw_record_header h;
    rw_builder_init(&b);
    const struct rw_record_header headers[] = {
        {RW_STR_LIT("null"), {NULL, 0}}, {RW_STR_LIT("empty"), text("")}, {{NULL, 0}, text("v")}};
    assert_int_equal(rw_builder_add(&b, &(struct rw_record){.timestamp = 5}, headers, 3), RW_OK);
    assert_int_equal(
        rw_builder_add(&b, &(struct rw_record){.key = text(""), .value = text("")}, NULL, 0),
        RW_OK);
    assert_int_equal(rw_builder_finish(&b, &out), RW_OK);
    assert_int_equal(out.n, rw_builder_size(&b));
    assert_int_equal(rw_records_open(&r, out.p, out.n), RW_OK);
    assert_int_equal(rw_records_next(&r, &got), 1);
    assert_null(got.key.p);
    assert_null(got.value.p);
    assert_int_equal(got.headers_count, 3);
    assert_int_equal(rw_record_next_header(&got.headers, &h), 1);
    assert_null(h.value.p);
    assert_int_equal(rw_record_next_header(&got.headers, &h), 1);
    assert_non_null(h.value.p);
    assert_int_equal(h.value.n, 0);
    assert_int_equal(rw_record_next_header(&got.headers, &h), 1);
    assert_int_equal(h.key.n, 0);
    assert_non_null(h.key.p);
    assert_int_equal(rw_records_next(&r, &got), 1);
    assert_non_null(got.key.p);
    assert_non_null(got.value.p);
    assert_int_equal(got.timestamp, 0); /* a negative delta */
    rw_records_deinit(&r);
    rw_builder_deinit(&b);
}

static void offsets_may_leave_gaps(void **state)
{
    (void)state;
    static const int64_t offsets[] = {1000, 1001, 1005, 2000};
    struct rw_builder b;
    struct rw_slice out;
    struct rw_records r = {0};
    struct rw_record got;
    rw_builder_init(&b);
    rw_builder_reset(&b, 1000);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(
            rw_builder_add(&b, &(struct rw_record){.offset = i == 1 ? 0 : offsets[i]}, NULL, 0),
            RW_OK);
    b.last_offset = 2500; /* compaction keeps the extent of the batch it rewrites */
    assert_int_equal(rw_builder_finish(&b, &out), RW_OK);
    assert_int_equal(rw_records_open(&r, out.p, out.n), RW_OK);
    assert_int_equal(rw_batch_last_offset(&r.batch), 2500);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(rw_records_next(&r, &got), 1);
        assert_int_equal(got.offset, offsets[i]);
    }
    assert_int_equal(rw_records_next(&r, &got), 0);
    rw_records_deinit(&r);
    rw_builder_deinit(&b);
}

static void an_empty_batch_is_a_batch(void **state)
{
    (void)state;
    struct rw_records r = {0};
    struct rw_record got;
    for (int codec = RW_CODEC_NONE; codec <= RW_CODEC_ZSTD; codec++) {
        struct rw_builder b;
        struct rw_slice out;
        rw_builder_init(&b);
        b.codec = (enum rw_codec)codec;
        rw_builder_reset(&b, 70);
        b.last_offset = 79;
        b.producer_id = 9;
        assert_int_equal(rw_builder_finish(&b, &out), RW_OK);
        assert_int_equal(out.n, RW_BATCH_HEADER_SIZE);
        assert_int_equal(rw_records_open(&r, out.p, out.n), RW_OK);
        assert_int_equal(rw_batch_last_offset(&r.batch), 79);
        assert_int_equal(r.batch.producer_id, 9);
        assert_int_equal(rw_records_next(&r, &got), 0);
        rw_builder_reset(&b, 70); /* nothing said about its extent: one offset */
        assert_int_equal(rw_builder_finish(&b, &out), RW_OK);
        assert_int_equal(rw_records_open(&r, out.p, out.n), RW_OK);
        assert_int_equal(rw_batch_last_offset(&r.batch), 70);
        rw_builder_deinit(&b);
    }
    rw_records_deinit(&r);
}

static void copying_keeps_headers(void **state)
{
    (void)state;
    size_t n;
    uint8_t *p = sample_batch(RW_CODEC_LZ4, 50, &n);
    struct rw_records r = {0};
    struct rw_record got;
    struct rw_builder b;
    struct rw_slice out;
    rw_builder_init(&b);
    assert_int_equal(rw_records_open(&r, p, n), RW_OK);
    while (rw_records_next(&r, &got) == 1)
        assert_int_equal(rw_builder_copy(&b, &got), RW_OK);
    assert_int_equal(rw_builder_finish(&b, &out), RW_OK);
    expect_sample(&r, out.p, out.n, 50);
    rw_records_deinit(&r);
    rw_builder_deinit(&b);
    free(p);
}

static void time_bits(void **state)
{
    (void)state;
    struct rw_builder b;
    struct rw_slice out;
    struct rw_records r = {0};
    struct rw_record got;
    rw_builder_init(&b);
    b.attributes = RW_ATTR_LOG_APPEND_TIME;
    assert_int_equal(rw_builder_add(&b, &(struct rw_record){.timestamp = 10}, NULL, 0), RW_OK);
    b.max_timestamp = 99;
    assert_int_equal(rw_builder_finish(&b, &out), RW_OK);
    assert_int_equal(rw_records_open(&r, out.p, out.n), RW_OK);
    assert_int_equal(rw_records_next(&r, &got), 1);
    assert_int_equal(got.timestamp, 99);

    rw_builder_reset(&b, 0);
    b.attributes = RW_ATTR_DELETE_HORIZON;
    b.base_timestamp = 5000; /* the horizon */
    assert_int_equal(rw_builder_add(&b, &(struct rw_record){.timestamp = 10}, NULL, 0), RW_OK);
    assert_int_equal(rw_builder_finish(&b, &out), RW_OK);
    assert_int_equal(rw_records_open(&r, out.p, out.n), RW_OK);
    assert_int_equal(r.batch.base_timestamp, 5000);
    assert_int_equal(rw_records_next(&r, &got), 1);
    assert_int_equal(got.timestamp, 10);

    /* The two ends of time: the delta wraps and wraps back. */
    rw_builder_reset(&b, 0);
    b.attributes = 0;
    assert_int_equal(rw_builder_add(&b, &(struct rw_record){.timestamp = INT64_MIN}, NULL, 0),
                     RW_OK);
    assert_int_equal(rw_builder_add(&b, &(struct rw_record){.timestamp = INT64_MAX}, NULL, 0),
                     RW_OK);
    assert_int_equal(rw_builder_finish(&b, &out), RW_OK);
    assert_int_equal(rw_records_open(&r, out.p, out.n), RW_OK);
    assert_int_equal(rw_records_next(&r, &got), 1);
    assert_int_equal(got.timestamp, INT64_MIN);
    assert_int_equal(rw_records_next(&r, &got), 1);
    assert_int_equal(got.timestamp, INT64_MAX);
    rw_records_deinit(&r);
    rw_builder_deinit(&b);
}

static void limits(void **state)
{
    (void)state;
    struct rw_builder b;
    struct rw_slice out;
    rw_builder_init(&b);
    const struct rw_record far = {.offset = INT32_MAX};
    assert_int_equal(rw_builder_add(&b, &far, NULL, 0), RW_E_TOO_BIG);
    /* Only the size is looked at before it is refused. */
    const struct rw_record fat = {.value = rw_slice("", (size_t)INT32_MAX)};
    assert_int_equal(rw_builder_add(&b, &fat, NULL, 0), RW_E_TOO_BIG);
    const struct rw_record small = {.value = text("v")};
    const struct rw_record_header fat_header = {RW_STR_LIT("k"), rw_slice("", SIZE_MAX / 2)};
    assert_int_equal(rw_builder_add(&b, &small, &fat_header, 1), RW_E_TOO_BIG);
    const struct rw_record_header two[] = {{{"", INT32_MAX}, text("")},
                                           {{"", INT32_MAX}, text("")}};
    assert_int_equal(rw_builder_add(&b, &small, two, 2), RW_E_TOO_BIG);
    const struct rw_record_header null_key = {RW_STR_NULL, text("v")};
    assert_int_equal(rw_builder_add(&b, &small, &null_key, 1), RW_E_INVAL);
    assert_int_equal(rw_builder_add(&b, &small, &null_key, (size_t)INT32_MAX + 1), RW_E_TOO_BIG);
    assert_int_equal(b.count, 0);
    b.last_offset = INT32_MAX;
    assert_int_equal(rw_builder_finish(&b, &out), RW_E_TOO_BIG);
    rw_builder_deinit(&b);
}

/* Every allocation of a build and of a read fails once; nothing leaks, nothing half-done stays. */
static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (int codec = RW_CODEC_NONE; codec <= RW_CODEC_ZSTD; codec++) {
        bool done = false;
        for (uint64_t fail = 1; !done; fail++) {
            struct rw_builder b;
            struct rw_records r = {0};
            struct rw_slice out;
            rw_builder_init(&b);
            b.codec = (enum rw_codec)codec;
            int code = RW_OK, count = 0;
            rw_mem_fail_at(fail, 0);
            for (int i = 0; i < 40; i++) {
                char value[400];
                memset(value, 'a' + i % 26, sizeof(value));
                const struct rw_record record = {.value = rw_slice(value, sizeof(value))};
                code = rw_builder_add(&b, &record, NULL, 0);
                assert_true(code == RW_OK || code == RW_E_NOMEM);
                count += code == RW_OK;
            }
            code = rw_builder_finish(&b, &out);
            if (code == RW_E_NOMEM)
                code = rw_builder_finish(&b, &out);
            assert_int_equal(code, RW_OK);
            code = rw_records_open(&r, out.p, out.n);
            if (code == RW_E_NOMEM)
                code = rw_records_open(&r, out.p, out.n);
            assert_int_equal(code, RW_OK);
            done = rw_mem_count() < fail;
            rw_mem_fail_at(0, 0);
            struct rw_record got;
            for (int i = 0; i < count; i++)
                assert_int_equal(rw_records_next(&r, &got), 1);
            assert_int_equal(rw_records_next(&r, &got), 0);
            assert_true(done ? count == 40 : count >= 39);
            rw_records_deinit(&r);
            rw_builder_deinit(&b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec_comes_back),
        cmocka_unit_test(null_is_not_empty),
        cmocka_unit_test(offsets_may_leave_gaps),
        cmocka_unit_test(an_empty_batch_is_a_batch),
        cmocka_unit_test(copying_keeps_headers),
        cmocka_unit_test(time_bits),
        cmocka_unit_test(limits),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
