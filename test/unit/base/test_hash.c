/* hash.c: another seed is another function, lengths matter, and values spread. */
#include "unit.h"
#include "base/hash.h"

static void seeds_and_lengths(void **state)
{
    (void)state;
    int same = 0;
    for (uint64_t seed = 1; seed < 100; seed++) {
        same += rw_hash_seeded(seed, "key", 3) % 64 == rw_hash_seeded(0, "key", 3) % 64;
        same += rw_hash_int(seed, 7) % 64 == rw_hash_int(0, 7) % 64;
    }
    assert_true(same < 20);
    uint8_t zeros[40] = {0};
    for (size_t a = 0; a < sizeof(zeros); a++)
        for (size_t b = a + 1; b < sizeof(zeros); b++)
            assert_true(rw_hash_seeded(1, zeros, a) != rw_hash_seeded(1, zeros, b));
}

static void values_spread(void **state)
{
    (void)state;
    int text_load[256] = {0}, int_load[256] = {0};
    for (int i = 0; i < 256 * 64; i++) {
        char key[16];
        int n = snprintf(key, sizeof(key), "topic-%d", i);
        text_load[rw_hash_seeded(5, key, (size_t)n) & 255]++;
        int_load[rw_hash_int(5, (int64_t)i << 20) & 255]++;
    }
    /* 64 are expected; 6 standard deviations are 48. */
    for (int i = 0; i < 256; i++) {
        assert_in_range(text_load[i], 16, 112);
        assert_in_range(int_load[i], 16, 112);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(seeds_and_lengths),
                                       cmocka_unit_test(values_spread)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
