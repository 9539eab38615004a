/* validate.c: one case per rule, each on a batch that is fine but for that rule; corrections. */
#include "sample.h"

static const struct rw_validate_rules rules_plain = {
    .now_ms = SAMPLE_TIME + 1000,
    .timestamp_before_max_ms = INT64_MAX,
    .timestamp_after_max_ms = INT64_MAX,
    .batch_bytes_max = 1048588,
    .allow_zstd = true,
    .from_client = true,
};

struct probe {
    struct rw_validate_rules rules;
    struct rw_validate_result result;
    struct rw_builder b;
    uint8_t *p;
    size_t n;
};

static void start(struct probe *t)
{
    *t = (struct probe){.rules = rules_plain};
    rw_builder_init(&t->b);
}

static void finish(struct probe *t)
{
    struct rw_slice out;
    assert_int_equal(rw_builder_finish(&t->b, &out), RW_OK);
    t->p = copy_of(out);
    t->n = out.n;
    rw_builder_deinit(&t->b);
}

static int check(struct probe *t)
{
    struct rw_records scratch = {0};
    uint8_t *before = copy_of(rw_slice(t->p, t->n));
    int code = rw_batch_validate(t->p, t->n, &t->rules, &scratch, &t->result);
    if (code) /* nothing is changed in a batch that is refused */
        assert_memory_equal(before, t->p, t->n);
    assert_true(code == RW_OK ? t->result.why == NULL : t->result.why != NULL);
    free(before);
    rw_records_deinit(&scratch);
    return code;
}

/* Ends a case: the code, the record, a word of the reason. */
static void expect(struct probe *t, int code, int record, const char *word)
{
    assert_int_equal(check(t), code);
    assert_int_equal(t->result.bad_record, record);
    if (code)
        assert_non_null(strstr(t->result.why, word));
    free(t->p);
}

static void add(struct probe *t, int64_t timestamp, const char *key)
{
    const struct rw_record record = {.timestamp = timestamp,
                                     .key = key ? text(key) : (struct rw_slice){NULL, 0},
                                     .value = text("v")};
    assert_int_equal(rw_builder_add(&t->b, &record, NULL, 0), RW_OK);
}

static void good_ones(void **state)
{
    (void)state;
    for (int codec = RW_CODEC_NONE; codec <= RW_CODEC_ZSTD; codec++) {
        struct probe t;
        start(&t);
        t.b.codec = (enum rw_codec)codec;
        sample_fill(&t.b, 100);
        finish(&t);
        assert_int_equal(check(&t), RW_OK);
        assert_int_equal(t.result.batch.records_count, 100);
        assert_int_equal(t.result.max_timestamp, SAMPLE_TIME + 990);
        assert_int_equal(t.result.max_timestamp_offset_delta, 99);
        free(t.p);
    }
}

static void sizes_and_shape(void **state)
{
    (void)state;
    struct probe t;
    start(&t), sample_fill(&t.b, 3), finish(&t);
    t.rules.batch_bytes_max = t.n - 1;
    expect(&t, RW_E_TOO_BIG, -1, "max.message.bytes");

    start(&t), sample_fill(&t.b, 3), finish(&t);
    t.rules.batch_bytes_max = t.n;
    expect(&t, RW_OK, -1, "");

    start(&t), sample_fill(&t.b, 3), finish(&t);
    t.n = 60;
    expect(&t, RW_E_CORRUPT, -1, "shorter than its header");

    start(&t), sample_fill(&t.b, 3), finish(&t);
    t.n--;
    expect(&t, RW_E_CORRUPT, -1, "longer than the bytes");

    start(&t), sample_fill(&t.b, 3), finish(&t);
    uint8_t *two = malloc(t.n * 2);
    assert_non_null(two);
    memcpy(two, t.p, t.n);
    memcpy(two + t.n, t.p, t.n);
    free(t.p);
    t.p = two;
    t.n *= 2;
    expect(&t, RW_E_RECORD, -1, "more than one batch");

    start(&t), sample_fill(&t.b, 3), finish(&t);
    t.p[16] = 1;
    expect(&t, RW_E_UNSUPPORTED, -1, "before 2");

    start(&t), sample_fill(&t.b, 3), finish(&t);
    t.p[16] = 9;
    expect(&t, RW_E_CORRUPT, -1, "header");

    start(&t), sample_fill(&t.b, 3), finish(&t);
    t.p[t.n - 1] ^= 1;
    expect(&t, RW_E_CORRUPT, -1, "checksum");

    start(&t), t.b.codec = RW_CODEC_ZSTD, sample_fill(&t.b, 3), finish(&t);
    t.rules.allow_zstd = false;
    expect(&t, RW_E_UNSUPPORTED, -1, "Produce version 7");
}

static void client_rules(void **state)
{
    (void)state;
    struct probe t;
    start(&t), rw_builder_reset(&t.b, 5), sample_fill(&t.b, 3), finish(&t);
    expect(&t, RW_E_RECORD, -1, "base offset");

    start(&t), finish(&t);
    expect(&t, RW_E_RECORD, -1, "no records");

    start(&t), sample_fill(&t.b, 3), t.b.last_offset = 3, finish(&t);
    expect(&t, RW_E_RECORD, -1, "count and last offset delta");

    start(&t), t.b.attributes = RW_ATTR_CONTROL, sample_fill(&t.b, 1), finish(&t);
    expect(&t, RW_E_RECORD, -1, "control");

    start(&t), t.b.attributes = RW_ATTR_LOG_APPEND_TIME, sample_fill(&t.b, 1), finish(&t);
    expect(&t, RW_E_TIMESTAMP, -1, "LogAppendTime");

    start(&t), t.b.attributes = RW_ATTR_DELETE_HORIZON, sample_fill(&t.b, 1), finish(&t);
    expect(&t, RW_E_RECORD, -1, "delete horizon");

    start(&t), t.b.producer_id = 4, t.b.producer_epoch = 0, sample_fill(&t.b, 1), finish(&t);
    expect(&t, RW_E_RECORD, -1, "sequence");

    start(&t), t.b.producer_id = 4, t.b.base_sequence = 0, sample_fill(&t.b, 1), finish(&t);
    expect(&t, RW_E_RECORD, -1, "epoch");

    start(&t), t.b.producer_id = -2, sample_fill(&t.b, 1), finish(&t);
    expect(&t, RW_E_RECORD, -1, "negative producer id");

    start(&t), t.b.attributes = RW_ATTR_TRANSACTIONAL, sample_fill(&t.b, 1), finish(&t);
    expect(&t, RW_E_RECORD, -1, "transaction");

    start(&t), sample_fill(&t.b, 1), t.b.attributes = RW_ATTR_TRANSACTIONAL;
    t.b.producer_id = 4, t.b.producer_epoch = 0, t.b.base_sequence = 0, finish(&t);
    expect(&t, RW_OK, -1, "");
}

static void internal_writers(void **state)
{
    (void)state;
    struct probe t;
    /* The coordinator's markers, compacted batches with gaps, empty batches. */
    start(&t), t.b.base_offset = 70;
    assert_int_equal(rw_control_build(&t.b, RW_CONTROL_COMMIT, 9, 1, 0, 0), RW_OK);
    finish(&t);
    t.rules.from_client = false;
    t.rules.compacted = true;
    expect(&t, RW_OK, -1, "");

    start(&t), add(&t, 1, "a");
    const struct rw_record gap = {.offset = 50, .key = text("b")};
    assert_int_equal(rw_builder_add(&t.b, &gap, NULL, 0), RW_OK);
    t.b.last_offset = 60, finish(&t);
    t.rules.from_client = false;
    expect(&t, RW_OK, -1, "");

    start(&t), finish(&t);
    t.rules.from_client = false;
    expect(&t, RW_OK, -1, "");

    start(&t), add(&t, 1, "a"), add(&t, 1, "b"), finish(&t);
    rw_store_be32(t.p + 23, 0);
    seal(t.p, t.n);
    t.rules.from_client = false;
    expect(&t, RW_E_RECORD, -1, "more records than offsets");

    start(&t), add(&t, 1, "a"), add(&t, 1, "b"), finish(&t);
    t.p[t.n - 6] = 0; /* the second offset delta: as the first */
    seal(t.p, t.n);
    t.rules.from_client = false;
    expect(&t, RW_E_CORRUPT, 1, "ascend");
}

static void record_rules(void **state)
{
    (void)state;
    struct probe t;
    start(&t), add(&t, 1, "a"), add(&t, 1, "b"), add(&t, 1, "c"), finish(&t);
    t.p[t.n - 6] = 2; /* the third record's delta: 1 instead of 2 */
    seal(t.p, t.n);
    expect(&t, RW_E_RECORD, 2, "contiguous");

    start(&t), add(&t, 1, "a"), add(&t, 1, NULL), finish(&t);
    t.rules.compacted = true;
    expect(&t, RW_E_RECORD, 1, "keys");

    start(&t), add(&t, 1, "a"), add(&t, 1, ""), finish(&t);
    t.rules.compacted = true;
    expect(&t, RW_OK, -1, "");

    /* Lengths that contradict each other. */
    start(&t), add(&t, 1, "a"), finish(&t);
    t.p[61] += 2;
    seal(t.p, t.n);
    expect(&t, RW_E_CORRUPT, 0, "length");

    start(&t), add(&t, 1, "a"), finish(&t);
    t.p[t.n - 1] = 2; /* one header, no bytes for it */
    seal(t.p, t.n);
    expect(&t, RW_E_CORRUPT, 0, "length");

    start(&t);
    const struct rw_record_header h = {RW_STR_LIT("h"), text("x")};
    const struct rw_record record = {.value = text("v")};
    assert_int_equal(rw_builder_add(&t.b, &record, &h, 1), RW_OK);
    finish(&t);
    t.p[t.n - 4] = 1; /* a null header key */
    seal(t.p, t.n);
    expect(&t, RW_E_CORRUPT, 0, "headers");

    /* A count that the bytes can not hold: refused before anything is walked. */
    start(&t), add(&t, 1, "a"), finish(&t);
    rw_store_be32(t.p + 57, 1000000), rw_store_be32(t.p + 23, 999999);
    seal(t.p, t.n);
    expect(&t, RW_E_CORRUPT, -1, "decompressed");

    start(&t), add(&t, 1, "aaaaaaaaaaaaaaaa"), add(&t, 1, "b"), finish(&t);
    rw_store_be32(t.p + 57, 1), rw_store_be32(t.p + 23, 0);
    seal(t.p, t.n);
    expect(&t, RW_E_CORRUPT, -1, "after the last record");

    start(&t), t.b.codec = RW_CODEC_GZIP, add(&t, 1, "a"), finish(&t);
    t.p[61] ^= 1;
    seal(t.p, t.n);
    expect(&t, RW_E_CORRUPT, -1, "decompressed");
}

static void timestamp_rules(void **state)
{
    (void)state;
    struct probe t;
    const int64_t now = rules_plain.now_ms;
    start(&t), add(&t, now, "a"), add(&t, now - 100, "a"), add(&t, now - 101, "a"), finish(&t);
    t.rules.timestamp_before_max_ms = 100;
    expect(&t, RW_E_TIMESTAMP, 2, "past");

    start(&t), add(&t, now + 50, "a"), add(&t, now + 51, "a"), finish(&t);
    t.rules.timestamp_after_max_ms = 50;
    expect(&t, RW_E_TIMESTAMP, 1, "future");

    start(&t), add(&t, now, "a"), add(&t, -1, "a"), finish(&t);
    t.rules.timestamp_before_max_ms = 0;
    expect(&t, RW_OK, -1, "");

    start(&t), add(&t, -2, "a"), finish(&t);
    expect(&t, RW_E_TIMESTAMP, 0, "negative");

    start(&t), add(&t, now + 5000, "a"),
        finish(&t); /* nobody looks when the broker sets the time */
    t.rules.timestamp_after_max_ms = 0;
    t.rules.log_append_time = true;
    expect(&t, RW_OK, -1, "");

    start(&t), add(&t, 5, "a"), finish(&t); /* the window saturates instead of wrapping */
    t.rules.now_ms = -5;
    t.rules.timestamp_before_max_ms = INT64_MAX;
    expect(&t, RW_OK, -1, "");
}

static void corrections(void **state)
{
    (void)state;
    struct probe t;
    struct rw_batch b;
    /* A producer's wrong maximum is replaced by the true one, and by its offset. */
    start(&t), add(&t, 10, "a"), add(&t, 30, "b"), add(&t, 20, "c");
    t.b.max_timestamp = 99, finish(&t);
    assert_int_equal(check(&t), RW_OK);
    assert_int_equal(rw_batch_check(t.p, t.n, &b), RW_OK);
    assert_int_equal(b.max_timestamp, 30);
    assert_int_equal(t.result.batch.max_timestamp, 30);
    assert_int_equal(t.result.batch.crc, b.crc);
    assert_int_equal(t.result.max_timestamp, 30);
    assert_int_equal(t.result.max_timestamp_offset_delta, 1);
    free(t.p);

    start(&t), t.b.codec = RW_CODEC_SNAPPY, add(&t, 10, "a"), add(&t, 30, "b"), finish(&t);
    t.rules.log_append_time = true;
    assert_int_equal(check(&t), RW_OK);
    assert_int_equal(rw_batch_check(t.p, t.n, &b), RW_OK);
    assert_int_equal(b.max_timestamp, rules_plain.now_ms);
    assert_int_equal(b.attributes, RW_CODEC_SNAPPY | RW_ATTR_LOG_APPEND_TIME);
    assert_int_equal(t.result.batch.attributes, b.attributes);
    assert_int_equal(t.result.max_timestamp, rules_plain.now_ms);
    assert_int_equal(t.result.max_timestamp_offset_delta, 1);
    free(t.p);

    /* No record has a time: so has the batch. */
    start(&t), add(&t, -1, "a"), t.b.max_timestamp = 50, finish(&t);
    assert_int_equal(check(&t), RW_OK);
    assert_int_equal(rw_batch_check(t.p, t.n, &b), RW_OK);
    assert_int_equal(b.max_timestamp, -1);
    free(t.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),    cmocka_unit_test(sizes_and_shape),
        cmocka_unit_test(client_rules), cmocka_unit_test(internal_writers),
        cmocka_unit_test(record_rules), cmocka_unit_test(timestamp_rules),
        cmocka_unit_test(corrections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
