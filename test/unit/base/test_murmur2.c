/* murmur2.c: the vectors of Kafka's own unit test, every length of tail, and the sign rule. */
#include "unit.h"
#include "base/murmur2.h"

static void java_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        int32_t hash;
    } cases[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (size_t i = 0; i < RW_COUNT(cases); i++)
        assert_int_equal((int32_t)rw_murmur2(text(cases[i].key)), cases[i].hash);
}

static void sign_is_dropped(void **state)
{
    (void)state;
    /* -973932308 & 0x7fffffff = 1173551340, which is not what negation gives. */
    assert_int_equal(rw_murmur2_partition(text("21"), 12), 1173551340 % 12);
    assert_int_equal(rw_murmur2_partition(text("abc"), 7), 479470107 % 7);
    for (int32_t n = 1; n < 50; n++) {
        int32_t p = rw_murmur2_partition(text(""), n);
        assert_true(p >= 0 && p < n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(java_vectors),
                                       cmocka_unit_test(sign_is_dropped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
