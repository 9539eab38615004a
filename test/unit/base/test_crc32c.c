/* crc32c.c: RFC vectors, and every implementation against the plain definition at all sizes,
 * alignments and splits that change its path. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "base/crc32c.h"
#include "base/crc32c_impl.h"

/* The definition, bit by bit. */
static uint32_t plain(uint32_t crc, const uint8_t *p, size_t n)
{
    crc = ~crc;
    while (n--) {
        crc ^= *p++;
        for (int k = 0; k < 8; k++)
            crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1)));
    }
    return ~crc;
}

static void rfc_vectors(void **state)
{
    (void)state;
    /* RFC 3720, B.4; the last one is the usual check value. */
    uint8_t zeros[32] = {0}, ones[32], up[32], down[32];
    static const uint8_t read10[48] = {[0] = 0x01,  [1] = 0xc0,  [16] = 0x14, [22] = 0x04,
                                       [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02};
    memset(ones, 0xff, sizeof(ones));
    for (int i = 0; i < 32; i++) {
        up[i] = (uint8_t)i;
        down[i] = (uint8_t)(31 - i);
    }
    size_t n;
    const struct rw_crc32c_impl *impls = rw_crc32c_impls(&n);
    for (size_t i = 0; i < n; i++) {
        if (!impls[i].usable())
            continue;
        assert_int_equal(impls[i].run(0, zeros, 32), 0x8a9136aa);
        assert_int_equal(impls[i].run(0, ones, 32), 0x62a8ab43);
        assert_int_equal(impls[i].run(0, up, 32), 0x46dd794e);
        assert_int_equal(impls[i].run(0, down, 32), 0x113fdb5c);
        assert_int_equal(impls[i].run(0, read10, 48), 0xd9963a56);
        assert_int_equal(impls[i].run(0, "123456789", 9), 0xe3069283);
        assert_int_equal(impls[i].run(0, "", 0), 0);
    }
    assert_int_equal(rw_crc32c(0, "123456789", 9), 0xe3069283);
}

static void all_agree(void **state)
{
    (void)state;
    enum { SIZE = 5000 };
    size_t n_impls;
    const struct rw_crc32c_impl *impls = rw_crc32c_impls(&n_impls);
    uint32_t x = 1;
    for (size_t n = 0; n < SIZE; n += n < 1100 ? 1 : 97)
        for (size_t shift = 0; shift < 3; shift++) {
            /* Heap memory of exactly this size: the sanitizers see a read beyond it. */
            uint8_t *p = malloc(n + shift + 1), *at = p + shift;
            assert_non_null(p);
            for (size_t i = 0; i < n + shift; i++)
                p[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
            uint8_t *exact = malloc(n ? n : 1);
            assert_non_null(exact);
            memcpy(exact, at, n);
            uint32_t start = x, want = plain(start, at, n);
            for (size_t i = 0; i < n_impls; i++)
                if (impls[i].usable()) {
                    assert_int_equal(impls[i].run(start, at, n), want);
                    assert_int_equal(impls[i].run(start, exact, n), want);
                }
            assert_int_equal(rw_crc32c(start, at, n), want);
            free(exact);
            free(p);
        }
}

static void pieces_make_the_whole(void **state)
{
    (void)state;
    uint8_t p[2000];
    for (size_t i = 0; i < sizeof(p); i++)
        p[i] = (uint8_t)(i * i);
    uint32_t whole = rw_crc32c(0, p, sizeof(p));
    for (size_t cut = 0; cut <= sizeof(p); cut += 13)
        assert_int_equal(rw_crc32c(rw_crc32c(0, p, cut), p + cut, sizeof(p) - cut), whole);
}

static void the_name_is_one_of_them(void **state)
{
    (void)state;
    size_t n, found = 0;
    const struct rw_crc32c_impl *impls = rw_crc32c_impls(&n);
    for (size_t i = 0; i < n; i++)
        found += impls[i].usable() && !strcmp(impls[i].name, rw_crc32c_name());
    assert_int_equal(found, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_vectors),
        cmocka_unit_test(all_agree),
        cmocka_unit_test(pieces_make_the_whole),
        cmocka_unit_test(the_name_is_one_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
