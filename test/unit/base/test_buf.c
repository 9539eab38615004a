/* buf.c and bytes.h: growth, sticky failure, text, big-endian numbers. */
#include "unit.h"
#include "base/bytes.h"

static void adds_and_consumes(void **state)
{
    (void)state;
    struct rw_buf b;
    rw_buf_init(&b);
    assert_string_equal(rw_buf_cstr(&b), "");
    rw_buf_add_u8(&b, 1);
    rw_buf_add_be16(&b, 0x0203);
    rw_buf_add_be32(&b, 0x04050607);
    rw_buf_add_be64(&b, UINT64_C(0x08090a0b0c0d0e0f));
    for (size_t i = 0; i < 15; i++)
        assert_int_equal(b.p[i], i + 1);
    assert_int_equal(rw_load_be16(b.p + 1), 0x0203);
    assert_int_equal(rw_load_be32(b.p + 3), 0x04050607);
    assert_true(rw_load_be64(b.p + 7) == UINT64_C(0x08090a0b0c0d0e0f));
    rw_buf_consume(&b, 10);
    assert_int_equal(b.n, 5);
    assert_int_equal(b.p[0], 11);
    rw_buf_consume(&b, 6);
    assert_int_equal(b.n, 0);
    for (int i = 0; i < 3000; i++) {
        rw_buf_printf(&b, "%d,", i % 10);
        assert_int_equal(b.n, 2 * (size_t)i + 2);
    }
    assert_int_equal(strlen(rw_buf_cstr(&b)), 6000);
    rw_buf_add(&b, NULL, 0);
    rw_buf_clear(&b);
    assert_true(b.cap > 6000);
    rw_buf_add_str(&b, "x");
    assert_string_equal(rw_buf_cstr(&b), "x");
    rw_buf_deinit(&b);
    assert_null(b.p);
}

static void failure_sticks(void **state)
{
    (void)state;
    for (uint64_t fail = 1; fail < 5; fail++) {
        struct rw_buf b = {0};
        rw_mem_fail_at(fail, 0);
        size_t before = 0;
        for (int i = 0; i < 100 && !b.failed; i++) {
            before = b.n;
            rw_buf_add_be64(&b, (uint64_t)i);
        }
        assert_true(b.failed);
        assert_int_equal(b.n, before);
        rw_mem_fail_at(0, 0);
        rw_buf_add_be16(&b, 1), rw_buf_add_be32(&b, 1), rw_buf_printf(&b, "x");
        assert_int_equal(b.n, before);
        assert_null(rw_buf_extend(&b, 1));
        assert_string_equal(rw_buf_cstr(&b), "");
        rw_buf_clear(&b);
        rw_buf_add_u8(&b, 'y');
        assert_string_equal(rw_buf_cstr(&b), "y");
        rw_buf_deinit(&b);
    }
    struct rw_buf b = {0};
    rw_buf_add_u8(&b, 1);
    assert_false(rw_buf_reserve(&b, SIZE_MAX));
    assert_true(b.failed);
    rw_buf_clear(&b);
    assert_false(rw_buf_reserve(&b, SIZE_MAX - 1));
    rw_buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(adds_and_consumes),
                                       cmocka_unit_test(failure_sticks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
