/* plain.h: the short way makes the same bytes as the long one, or leaves the builder as it was. */
#include "sample.h"

#include "batch/plain.h"

struct pair {
    struct rw_builder plain, any;
};

static void setup(struct pair *p, int64_t base_offset)
{
    rw_builder_init(&p->plain);
    rw_builder_init(&p->any);
    rw_builder_reset(&p->plain, base_offset);
    rw_builder_reset(&p->any, base_offset);
}

static void expect_same(const struct rw_builder *a, const struct rw_builder *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->last_offset, b->last_offset);
    assert_int_equal(a->base_timestamp, b->base_timestamp);
    assert_int_equal(a->max_timestamp, b->max_timestamp);
    assert_int_equal(a->records.n, b->records.n);
}

static bool add_plain(struct rw_builder *b, int64_t timestamp, struct rw_slice key,
                      struct rw_slice value)
{
    struct rw_plain w = rw_plain_begin(b, timestamp, SIZE_MAX);
    bool added = rw_plain_add(&w, timestamp, key, value);
    rw_plain_end(&w, b);
    return added;
}

static void add_any(struct rw_builder *b, int64_t timestamp, struct rw_slice key,
                    struct rw_slice value)
{
    const struct rw_record r = {
        .offset = b->last_offset + 1, .timestamp = timestamp, .key = key, .value = value};
    assert_int_equal(rw_builder_add(b, &r, NULL, 0), RW_OK);
}

/* True: it was one for the short way. */
static bool add_both(struct pair *p, int64_t timestamp, struct rw_slice key, struct rw_slice value)
{
    bool short_way = add_plain(&p->plain, timestamp, key, value);
    if (!short_way) {
        expect_same(&p->plain, &p->any);
        add_any(&p->plain, timestamp, key, value);
    }
    add_any(&p->any, timestamp, key, value);
    expect_same(&p->plain, &p->any);
    return short_way;
}

static void expect_same_batch(struct pair *p)
{
    struct rw_slice a, b;
    assert_int_equal(rw_builder_finish(&p->plain, &a), RW_OK);
    assert_int_equal(rw_builder_finish(&p->any, &b), RW_OK);
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.p, b.p, a.n);
    rw_builder_deinit(&p->plain);
    rw_builder_deinit(&p->any);
}

static void every_length_makes_the_same_bytes(void **state)
{
    (void)state;
    /* malloc'ed to the byte, so that the sanitizers see a byte read beyond a value. */
    struct pair p;
    int taken = 0, count = 0;
    setup(&p, 0);
    for (size_t n = 0; n < 9000; n += n < 300 ? 1 : 97) {
        uint8_t *bytes = malloc(n + 1);
        assert_non_null(bytes);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)(i * 7 + n);
        for (int key = 0; key < 3; key++, count++) {
            /* null, empty, and as long as the value */
            const struct rw_slice k = key ? rw_slice(bytes, key == 1 ? 0 : n) : rw_slice(NULL, 0);
            taken += add_both(&p, SAMPLE_TIME + count, k, rw_slice(bytes, n));
        }
        free(bytes);
    }
    taken += add_both(&p, SAMPLE_TIME, text("k"), rw_slice(NULL, 0));
    expect_same_batch(&p);
    assert_true(taken > 900);
}

static void every_delta_makes_the_same_bytes(void **state)
{
    (void)state;
    static const int64_t deltas[] = {0,       63,        -64,       64,      -65,       8191,
                                     -8192,   8192,      -8193,     1048575, -1048576,  1048576,
                                     1 << 30, 1ll << 40, INT64_MAX, -1,      INT64_MIN, 5};
    struct pair p;
    int taken = 0;
    setup(&p, 1000);
    for (size_t size = 40; size < 60; size++)
        for (size_t i = 0; i < sizeof(deltas) / sizeof(*deltas); i++)
            taken += add_both(&p, (int64_t)((uint64_t)SAMPLE_TIME + (uint64_t)deltas[i]),
                              rw_slice(NULL, 0),
                              rw_slice("0123456789012345678901234567890123456789"
                                       "01234567890123456789",
                                       size));
    expect_same_batch(&p);
    assert_in_range(taken, 200, 300);
}

static void offset_deltas_of_every_size(void **state)
{
    (void)state;
    struct pair p;
    bool usual[3];
    int taken = 0;
    setup(&p, 7);
    for (int i = 0; i < 70; i++)
        taken += add_both(&p, SAMPLE_TIME, text(""), text("v"));
    assert_in_range(taken, 60, 69); /* the others made room */
    static const int64_t jumps[] = {8190, 1048574, 1048575};
    for (int i = 0; i < 3; i++) {
        p.plain.last_offset = p.any.last_offset = 7 + jumps[i];
        usual[i] = add_both(&p, SAMPLE_TIME, text(""), text("v"));
    }
    assert_true(usual[0] && usual[1]);
    assert_false(usual[2]);
    expect_same_batch(&p);
}

static void what_is_not_usual_is_refused(void **state)
{
    (void)state;
    static uint8_t large[RW_PLAIN_MAX + 1];
    struct rw_builder b;
    rw_builder_init(&b);
    rw_builder_reset(&b, 0);
    assert_false(add_plain(&b, SAMPLE_TIME, text(""), text("the first one")));
    assert_int_equal(b.records.n, 0);
    add_any(&b, SAMPLE_TIME, text(""), rw_slice(large, sizeof(large)));
    const struct rw_builder before = b;
    assert_false(add_plain(&b, SAMPLE_TIME, rw_slice(large, sizeof(large)), text("")));
    assert_false(add_plain(&b, SAMPLE_TIME, text(""), rw_slice(large, sizeof(large))));
    expect_same(&b, &before);
    /* As many as there is room for, and not one byte more: the sanitizers watch. */
    int n = 0;
    while (add_plain(&b, SAMPLE_TIME, text("k"), text("value")))
        n++;
    assert_true(n > 10);
    assert_true(b.records.n < b.records.cap);
    assert_ptr_equal(b.records.p, before.records.p);
    rw_builder_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_makes_the_same_bytes),
        cmocka_unit_test(every_delta_makes_the_same_bytes),
        cmocka_unit_test(offset_deltas_of_every_size),
        cmocka_unit_test(what_is_not_usual_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
