/* Disk pressure: thresholds, hysteresis, recovery. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "log/pressure.h"

#define GB (UINT64_C(1) << 30)

static struct rw_pressure_step step(struct rw_pressure *p, uint64_t total, uint64_t available)
{
    struct rw_pressure_config c;
    struct rw_pressure_step s;
    rw_pressure_config_init(&c);
    assert_int_equal(rw_pressure_config_check(&c), RW_OK);
    rw_pressure_step(p, &c, total, available, &s);
    assert_int_equal(s.level, p->level);
    assert_int_equal(s.refuse, s.level == RW_PRESSURE_REFUSE);
    assert_int_equal(s.retain_now, s.level >= RW_PRESSURE_WARN);
    assert_int_equal(s.throttle_ms > 0, s.level >= RW_PRESSURE_THROTTLE);
    return s;
}

/* Of a disk of 1000 GB, whose reserve of 64 MiB is far away. */
static enum rw_pressure_level at(struct rw_pressure *p, double used_percent)
{
    return step(p, 1000 * GB, (uint64_t)((100 - used_percent) * 10 * (double)GB)).level;
}

static void levels_in_order(void **state)
{
    (void)state;
    struct rw_pressure p = {0};
    assert_int_equal(at(&p, 79.9), RW_PRESSURE_NONE);
    assert_int_equal(at(&p, 80), RW_PRESSURE_WARN);
    assert_int_equal(at(&p, 94.9), RW_PRESSURE_WARN);
    assert_int_equal(at(&p, 95), RW_PRESSURE_THROTTLE);
    assert_int_equal(at(&p, 97.9), RW_PRESSURE_THROTTLE);
    assert_int_equal(at(&p, 98), RW_PRESSURE_REFUSE);
    assert_int_equal(at(&p, 100), RW_PRESSURE_REFUSE);
}

static void hysteresis(void **state)
{
    (void)state;
    struct rw_pressure p = {0};
    assert_int_equal(at(&p, 98), RW_PRESSURE_REFUSE);
    assert_int_equal(at(&p, 97.5), RW_PRESSURE_REFUSE);
    assert_int_equal(at(&p, 96.9), RW_PRESSURE_THROTTLE);
    assert_int_equal(at(&p, 97.5), RW_PRESSURE_THROTTLE); /* left: the threshold counts again */
    assert_int_equal(at(&p, 94.5), RW_PRESSURE_THROTTLE);
    assert_int_equal(at(&p, 93.9), RW_PRESSURE_WARN);
    assert_int_equal(at(&p, 79.5), RW_PRESSURE_WARN);
    assert_int_equal(at(&p, 78.9), RW_PRESSURE_NONE);
}

static void jumps_and_recovers(void **state)
{
    (void)state;
    struct rw_pressure p = {0};
    struct rw_pressure_step s = step(&p, 1000 * GB, 0);
    assert_true(s.changed && s.refuse);
    s = step(&p, 1000 * GB, 0);
    assert_false(s.changed);
    s = step(&p, 1000 * GB, 900 * GB);
    assert_true(s.changed);
    assert_int_equal(s.level, RW_PRESSURE_NONE);
    assert_int_equal(s.throttle_ms, 0);
}

/* Refusal must come before ENOSPC also where a percentage means nothing: on small disks 1 %, on any
 * disk the bytes that were asked for. */
static void bytes_count_too(void **state)
{
    (void)state;
    struct rw_pressure p = {0};
    struct rw_pressure_config c;
    struct rw_pressure_step s;
    rw_pressure_config_init(&c);
    c.free_bytes_min = 100 * GB;
    rw_pressure_step(&p, &c, 1000 * GB, 99 * GB, &s);
    assert_int_equal(s.level, RW_PRESSURE_REFUSE);
    rw_pressure_step(&p, &c, 1000 * GB, 110 * GB, &s);
    assert_int_equal(s.level, RW_PRESSURE_REFUSE); /* not yet a quarter more */
    rw_pressure_step(&p, &c, 1000 * GB, 126 * GB, &s);
    assert_int_equal(s.level, RW_PRESSURE_WARN);
}

static void throttle_grows(void **state)
{
    (void)state;
    struct rw_pressure p = {0};
    int32_t last = 0;
    for (int i = 0; i < 30; i++) {
        double used = 95 + i * 0.1;
        struct rw_pressure_step s = step(&p, 1000 * GB, (uint64_t)((100 - used) * 10 * (double)GB));
        assert_true(s.throttle_ms >= last && s.throttle_ms <= 1000);
        last = s.throttle_ms;
    }
    assert_true(last > 900);
}

static void odd_inputs(void **state)
{
    (void)state;
    struct rw_pressure p = {.level = RW_PRESSURE_REFUSE};
    assert_int_equal(step(&p, 0, 0).level, RW_PRESSURE_NONE);
    assert_int_equal(step(&p, 10, 20).level, RW_PRESSURE_NONE);
    struct rw_pressure_config c;
    rw_pressure_config_init(&c);
    c.throttle_percent = 79;
    assert_int_equal(rw_pressure_config_check(&c), RW_E_INVAL);
    rw_pressure_config_init(&c);
    c.refuse_percent = 101;
    assert_int_equal(rw_pressure_config_check(&c), RW_E_INVAL);
    assert_string_equal(rw_pressure_name(RW_PRESSURE_THROTTLE), "throttle");
}

static void order(void **state)
{
    (void)state;
    static const int rows[][6] = {/* warn, throttle, refuse; what becomes of them */
                                  {80, 95, 98, 80, 95, 98}, {80, 98, 96, 80, 96, 96},
                                  {97, 95, 98, 95, 95, 98}, {99, 98, 50, 50, 50, 50},
                                  {70, 70, 70, 70, 70, 70}, {99, 95, 96, 95, 95, 96}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const int *r = rows[i];
        struct rw_pressure_config c;
        rw_pressure_config_init(&c);
        c.warn_percent = r[0];
        c.throttle_percent = r[1];
        c.refuse_percent = r[2];
        bool wrong = rw_pressure_config_check(&c) != RW_OK;
        assert_int_equal(rw_pressure_config_order(&c), wrong);
        assert_int_equal(c.warn_percent, r[3]);
        assert_int_equal(c.throttle_percent, r[4]);
        assert_int_equal(c.refuse_percent, r[5]);
        assert_int_equal(rw_pressure_config_check(&c), RW_OK);
        assert_false(rw_pressure_config_order(&c));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(levels_in_order),
                                       cmocka_unit_test(hysteresis),
                                       cmocka_unit_test(jumps_and_recovers),
                                       cmocka_unit_test(bytes_count_too),
                                       cmocka_unit_test(throttle_grows),
                                       cmocka_unit_test(odd_inputs),
                                       cmocka_unit_test(order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
