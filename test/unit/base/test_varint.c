/* varint.h: edges of every length, there and back, and what does not fit; uuid.c beside it. */
#include "unit.h"
#include "base/uuid.h"
#include "base/varint.h"

static void there_and_back(void **state)
{
    (void)state;
    for (int bits = 0; bits < 64; bits++)
        for (int d = -2; d <= 2; d++) {
            uint64_t v = (UINT64_C(1) << bits) + (uint64_t)d, back = 0;
            uint8_t p[RW_VARINT64_MAX];
            size_t n = rw_uvarint_put(p, v);
            assert_int_equal(n, rw_uvarint_size(v));
            assert_int_equal(rw_uvarint64_get(p, n, &back), n);
            assert_true(back == v);
            assert_int_equal(rw_uvarint64_get(p, n - 1, &back), 0);
            uint32_t small = 0;
            assert_int_equal(rw_uvarint32_get(p, n, &small), v <= UINT32_MAX ? n : 0);
            if (v <= UINT32_MAX)
                assert_int_equal(small, v);
            int64_t s = (int64_t)v, s_back = 0;
            n = rw_uvarint_put(p, rw_zigzag64(s));
            assert_int_equal(rw_varint64_get(p, n, &s_back), n);
            assert_true(s_back == s);
            int32_t i = (int32_t)(uint32_t)v, i_back = 0;
            n = rw_uvarint_put(p, rw_zigzag32(i));
            assert_int_equal(rw_varint32_get(p, n, &i_back), n);
            assert_int_equal(i_back, i);
            assert_int_equal(rw_varint32_get(p, 0, &i_back), 0);
        }
}

static void too_long(void **state)
{
    (void)state;
    static const uint8_t endless[11] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                        0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t over64[10] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2};
    static const uint8_t over32[5] = {0xff, 0xff, 0xff, 0xff, 0x10};
    uint64_t v;
    uint32_t u;
    assert_int_equal(rw_uvarint64_get(endless, 11, &v), 0);
    assert_int_equal(rw_uvarint32_get(endless, 11, &u), 0);
    assert_int_equal(rw_uvarint64_get(over64, 10, &v), 0);
    assert_int_equal(rw_uvarint32_get(over32, 5, &u), 0);
}

static void ids(void **state)
{
    (void)state;
    struct rw_uuid u, back;
    char id[RW_UUID_TEXT_SIZE];
    uint8_t random[16];
    memset(random, 0xff, sizeof(random));
    assert_true(rw_uuid_is_zero((struct rw_uuid){{0}}));
    u = rw_uuid_v4(random);
    assert_int_equal(u.b[6], 0x4f);
    assert_int_equal(u.b[8], 0xbf);
    rw_uuid_format(u, id);
    assert_int_equal(strlen(id), 22);
    assert_true(rw_uuid_parse(rw_str(id), &back) && rw_uuid_eq(u, back));
    rw_uuid_format((struct rw_uuid){{0}}, id);
    assert_string_equal(id, "AAAAAAAAAAAAAAAAAAAAAA");
    assert_false(rw_uuid_parse(RW_STR_LIT("AAAAAAAAAAAAAAAAAAAAA"), &back));
    assert_false(rw_uuid_parse(RW_STR_LIT("AAAAAAAAAAAAAAAAAAAA+A"), &back));
    assert_false(rw_uuid_parse(RW_STR_LIT("AAAAAAAAAAAAAAAAAAAAAB"), &back));
    assert_false(rw_uuid_parse((struct rw_str){"AAAAAAAAAAAAAAAAAAAA\0A", 22}, &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back), cmocka_unit_test(too_long),
                                       cmocka_unit_test(ids)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
