/* batch/: what is built is what is read, whatever the records; validation agrees with a model of its
 * rules; a decompressed batch is what the builder had before compression. */
#include "property.h"

#include <string.h>
#include "batch/batch.h"

#define RECORDS_MAX 60

struct model {
    struct rw_record records[RECORDS_MAX];
    struct rw_record_header headers[RECORDS_MAX][3];
    size_t headers_count[RECORDS_MAX];
    int n;
    uint8_t bytes[1 << 16];
    size_t used;
};

static struct rw_slice random_slice(struct model *m, struct rw_random *r, bool nullable)
{
    if (nullable && rw_random_below(r, 5) == 0)
        return (struct rw_slice){NULL, 0};
    size_t n = rw_random_below(r, rw_random_below(r, 10) == 0 ? 700 : 40);
    if (n > sizeof(m->bytes) - m->used)
        n = 0;
    uint8_t *p = m->bytes + m->used;
    /* Words and noise, so that codecs have something to do and something they can not. */
    for (size_t i = 0; i < n; i++)
        p[i] = n % 2 ? (uint8_t)rw_random_next(r) : (uint8_t) "some words "[i % 11];
    m->used += n;
    return rw_slice(p, n);
}

static void make(struct model *m, struct rw_random *r)
{
    int64_t offset = 0, time = (int64_t)rw_random_below(r, 1u << 30) * 1000;
    m->used = 0;
    m->n = 1 + (int)rw_random_below(r, RECORDS_MAX);
    for (int i = 0; i < m->n; i++) {
        time += (int64_t)rw_random_below(r, 100000) - 50000;
        m->records[i] = (struct rw_record){.offset = offset,
                                           .timestamp = time < 0 ? 0 : time,
                                           .key = random_slice(m, r, true),
                                           .value = random_slice(m, r, true)};
        offset += rw_random_below(r, 8) ? 1 : 1 + (int64_t)rw_random_below(r, 1000);
        m->headers_count[i] = rw_random_below(r, 4);
        for (size_t h = 0; h < m->headers_count[i]; h++) {
            struct rw_slice key = random_slice(m, r, false);
            m->headers[i][h] = (struct rw_record_header){{(const char *)key.p, (int32_t)key.n},
                                                         random_slice(m, r, true)};
        }
    }
}

static void build(struct rw_builder *b, struct model *m, struct rw_random *r, bool gaps,
                  struct rw_slice *ret_batch)
{
    rw_builder_init(b);
    b->codec = (enum rw_codec)rw_random_below(r, 5);
    for (int i = 0; i < m->n; i++) {
        if (!gaps)
            m->records[i].offset = i;
        assert_int_equal(rw_builder_add(b, &m->records[i], m->headers[i], m->headers_count[i]),
                         RW_OK);
    }
    size_t size = rw_builder_size(b);
    assert_int_equal(rw_builder_finish(b, ret_batch), RW_OK);
    assert_true(b->codec != RW_CODEC_NONE || ret_batch->n == size);
}

static void same(struct rw_slice a, struct rw_slice b)
{
    assert_true(rw_slice_eq(a, b));
}

static void one_round_trip(struct rw_random *r)
{
    static struct model m;
    struct rw_builder b;
    struct rw_slice batch;
    struct rw_records records = {0};
    struct rw_record got;
    make(&m, r);
    build(&b, &m, r, true, &batch);
    assert_int_equal(rw_records_open(&records, batch.p, batch.n), RW_OK);
    if (m.n)
        same(rw_slice(records.at, (size_t)(records.end - records.at)),
             rw_slice(b.records.p + RW_BATCH_HEADER_SIZE, b.records.n - RW_BATCH_HEADER_SIZE));
    for (int i = 0; i < m.n; i++) {
        assert_int_equal(rw_records_next(&records, &got), 1);
        assert_int_equal(got.offset, m.records[i].offset);
        assert_int_equal(got.timestamp, m.records[i].timestamp);
        same(got.key, m.records[i].key);
        same(got.value, m.records[i].value);
        assert_int_equal(got.headers_count, m.headers_count[i]);
        for (size_t h = 0; h < m.headers_count[i]; h++) {
            struct rw_record_header header;
            assert_int_equal(rw_record_next_header(&got.headers, &header), 1);
            assert_true(rw_str_eq(header.key, m.headers[i][h].key));
            same(header.value, m.headers[i][h].value);
        }
    }
    assert_int_equal(rw_records_next(&records, &got), 0);
    rw_records_deinit(&records);
    rw_builder_deinit(&b);
}

/* The rules of validate.c, said once more in the plainest way. */
static int judge(const struct model *m, const struct rw_validate_rules *rules)
{
    for (int i = 0; i < m->n; i++) {
        if (rules->compacted && !m->records[i].key.p)
            return RW_E_RECORD;
        int64_t age = rules->now_ms - m->records[i].timestamp;
        if (!rules->log_append_time &&
            (age > rules->timestamp_before_max_ms || -age > rules->timestamp_after_max_ms))
            return RW_E_TIMESTAMP;
    }
    return RW_OK;
}

static void one_validation(struct rw_random *r)
{
    static struct model m;
    struct rw_builder b;
    struct rw_slice batch;
    struct rw_records scratch = {0};
    struct rw_validate_result result;
    make(&m, r);
    build(&b, &m, r, false, &batch);
    const struct rw_validate_rules rules = {
        .compacted = rw_random_below(r, 4) == 0,
        .log_append_time = rw_random_below(r, 4) == 0,
        .now_ms = m.records[0].timestamp,
        .timestamp_before_max_ms = (int64_t)rw_random_below(r, 1500000),
        .timestamp_after_max_ms = (int64_t)rw_random_below(r, 1500000),
        .batch_bytes_max = batch.n,
        .allow_zstd = true,
        .from_client = true,
    };
    int64_t max = -1, max_at = 0;
    for (int i = 0; i < m.n; i++)
        if (m.records[i].timestamp > max) {
            max = m.records[i].timestamp;
            max_at = i;
        }
    int want = judge(&m, &rules);
    /* In a buffer of our own: the validator may correct it. */
    uint8_t *p = malloc(batch.n);
    assert_non_null(p);
    memcpy(p, batch.p, batch.n);
    assert_int_equal(rw_batch_validate(p, batch.n, &rules, &scratch, &result), want);
    if (want == RW_OK) {
        struct rw_batch header;
        assert_int_equal(rw_batch_check(p, batch.n, &header), RW_OK);
        assert_int_equal(result.max_timestamp, rules.log_append_time ? rules.now_ms : max);
        assert_int_equal(header.max_timestamp, result.max_timestamp);
        if (!rules.log_append_time)
            assert_int_equal(result.max_timestamp_offset_delta, max_at);
    }
    free(p);
    rw_records_deinit(&scratch);
    rw_builder_deinit(&b);
}

static void round_trips(void **state)
{
    (void)state;
    for_each_seed(one_round_trip);
}

static void validations(void **state)
{
    (void)state;
    for_each_seed(one_validation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {property_test(round_trips), property_test(validations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
