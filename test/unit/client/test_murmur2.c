/* The vectors of Kafka's own test (UtilsTest.testMurmur2). */
#include "fake_broker.h"

#include "client/murmur2.h"

static void vectors(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        int32_t hash;
    } known[] = {{"21", -973932308},
                 {"foobar", -790332482},
                 {"a-little-bit-long-string", -985981536},
                 {"a-little-bit-longer-string", -1486304829},
                 {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
                 {"abc", 479470107}};
    for (size_t i = 0; i < RW_COUNT(known); i++)
        assert_int_equal((int32_t)rw_murmur2(known[i].key, strlen(known[i].key)), known[i].hash);
    for (int32_t n = 1; n < 50; n++)
        assert_in_range(rw_key_partition("foobar", 6, n), 0, n - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(vectors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
