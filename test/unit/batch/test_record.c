/* The quick way of taking a record apart and the thorough one agree: on records of every size class, on
 * what is left of them when bytes are changed or cut off, at the very end of a block and before it. */
#include "sample.h"
#include "base/assert.h"
#include "batch/record.h"

static uint32_t next(uint64_t *x)
{
    *x = *x * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(*x >> 33);
}

static bool same(struct rw_slice a, struct rw_slice b)
{
    return a.p == b.p && a.n == b.n;
}

/* True when the quick way took it. */
static bool compare(const uint8_t *p, size_t n)
{
    struct rw_record_parts quick = {0}, thorough = {0}, either = {0};
    const uint8_t *a = p, *b = p, *c = p;
    bool taken = rw_take_near_record(&a, p + n, &quick);
    bool good = rw_take_any_record(&b, p + n, &thorough);
    assert_int_equal(rw_take_record(&c, p + n, &either), good);
    if (good) {
        assert_ptr_equal(b, c);
        assert_true(same(either.value, thorough.value));
    }
    if (!taken) {
        assert_ptr_equal(a, p);
        return false;
    }
    assert_true(good); /* never takes what the thorough way refuses */
    assert_ptr_equal(a, b);
    assert_true(quick.timestamp_delta == thorough.timestamp_delta);
    assert_int_equal(quick.offset_delta, thorough.offset_delta);
    assert_int_equal(quick.headers_count, thorough.headers_count);
    assert_true(same(quick.key, thorough.key));
    assert_true(same(quick.value, thorough.value));
    assert_true(same(quick.headers, thorough.headers));
    return true;
}

/* One record of random shape behind the header of its batch; the sizes take one to four bytes. */
static struct rw_slice make(struct rw_builder *b, const uint8_t *bytes, uint64_t *x)
{
    static const size_t sizes[] = {0, 1, 40, 63, 64, 200, 8191, 8192, 20000};
    static const int64_t deltas[] = {0, 63, 64, 8192, 1 << 20, -1, -8193, INT64_C(1) << 40};
    struct rw_record_header headers[3];
    struct rw_slice out;
    size_t n = next(x) % 4 ? 0 : next(x) % 4;
    for (size_t i = 0; i < n; i++)
        headers[i] =
            (struct rw_record_header){RW_STR_LIT("name"), rw_slice(next(x) % 2 ? bytes : NULL, 0)};
    size_t key = sizes[next(x) % RW_COUNT(sizes)], value = sizes[next(x) % RW_COUNT(sizes)];
    const struct rw_record record = {.offset = (int64_t)(next(x) % 3) * 9000,
                                     .timestamp = SAMPLE_TIME + deltas[next(x) % RW_COUNT(deltas)],
                                     .key = rw_slice(next(x) % 2 ? bytes : NULL, 0),
                                     .value = rw_slice(next(x) % 8 ? bytes : NULL, 0)};
    struct rw_record sized = record;
    sized.key.n = record.key.p ? key : 0;
    sized.value.n = record.value.p ? value : 0;
    rw_builder_reset(b, 0);
    b->attributes = RW_ATTR_DELETE_HORIZON; /* the base is ours, not the record's */
    b->base_timestamp = SAMPLE_TIME;
    assert_int_equal(rw_builder_add(b, &sized, headers, n), RW_OK);
    assert_int_equal(rw_builder_finish(b, &out), RW_OK);
    return rw_slice(out.p + RW_BATCH_HEADER_SIZE, out.n - RW_BATCH_HEADER_SIZE);
}

static void quick_and_thorough_agree(void **state)
{
    (void)state;
    struct rw_builder b;
    uint8_t *bytes = malloc(20000);
    uint64_t x = 7;
    int taken = 0, refused = 0;
    assert_non_null(bytes);
    for (size_t i = 0; i < 20000; i++)
        bytes[i] = (uint8_t)next(&x);
    rw_builder_init(&b);
    for (int round = 0; round < 4000; round++) {
        struct rw_slice r = make(&b, bytes, &x);
        size_t behind = next(&x) % 3 ? next(&x) % 20 : 0; /* bytes of a next record */
        uint8_t *p = malloc(r.n + behind);
        assert_non_null(p);
        memcpy(p, r.p, r.n);
        for (size_t i = 0; i < behind; i++)
            p[r.n + i] = (uint8_t)next(&x);
        bool quick = compare(p, r.n + behind);
        taken += quick;
        refused += !quick;
        for (int k = 0; k < 20; k++) {
            size_t n = next(&x) % 2 ? r.n + behind : next(&x) % (r.n + behind + 1);
            uint8_t *exact = copy_of(rw_slice(p, n));
            /* Lengths and deltas are in front: most changes go there. */
            if (n && next(&x) % 4)
                exact[next(&x) % (n < 12 ? n : 12)] = (uint8_t)next(&x);
            else if (n)
                exact[next(&x) % n] ^= (uint8_t)(1u << next(&x) % 8);
            compare(exact, n);
            free(exact);
        }
        free(p);
    }
    rw_builder_deinit(&b);
    free(bytes);
    /* Both ways were taken often enough for the comparison to mean something. */
    assert_true(taken > 1000 && refused > 300);
}

/* What the quick way is for. */
static void usual_records_are_taken_quickly(void **state)
{
    (void)state;
    size_t n;
    uint8_t *p = sample_batch(RW_CODEC_NONE, 100, &n);
    const uint8_t *at = p + RW_BATCH_HEADER_SIZE, *end = p + n;
    struct rw_record_parts v;
    for (int i = 0; i < 100; i++) {
        assert_true(rw_take_near_record(&at, end, &v));
        assert_int_equal(v.offset_delta, i);
        assert_int_equal(v.headers_count, i % 3 == 0);
    }
    assert_ptr_equal(at, end);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quick_and_thorough_agree),
        cmocka_unit_test(usual_records_are_taken_quickly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
