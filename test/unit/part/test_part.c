/* The replica's state machine: each event, and a random walk against the invariants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "part/part.h"

static struct rw_part_out step(struct rw_part *p, struct rw_part_event e)
{
    struct rw_part_out out;
    rw_part_step(p, &e, &out);
    return out;
}

static struct rw_part opened(bool durable_policy, int64_t start, int64_t durable, int64_t end,
                             int64_t checkpoint)
{
    struct rw_part p;
    rw_part_init(&p);
    step(&p, (struct rw_part_event){RW_PART_OPENED, .start = start, .end = end, .durable = durable,
                                    .checkpoint = checkpoint, .durable_policy = durable_policy});
    step(&p, (struct rw_part_event){RW_PART_LEAD, .leader_epoch = 3});
    return p;
}

static void test_durable_policy_waits_for_the_disk(void **state)
{
    (void)state;
    struct rw_part p = opened(true, 0, 0, 0, -1);
    struct rw_part_out out = step(&p, (struct rw_part_event){RW_PART_APPENDED, .end = 10});
    assert_true(out.flush_wanted);
    assert_false(out.acked_moved || out.readable_moved);
    assert_int_equal(rw_part_readable(&p, false), 0);
    out = step(&p, (struct rw_part_event){RW_PART_FLUSHED, .durable = 7});
    assert_true(out.acked_moved && out.readable_moved && out.flush_wanted);
    assert_int_equal(rw_part_acked(&p), 7);
    assert_int_equal(rw_part_readable(&p, false), 7);
    out = step(&p, (struct rw_part_event){RW_PART_FLUSHED, .durable = 10});
    assert_false(out.flush_wanted);
    assert_int_equal(p.high_watermark, 10);
}

static void test_lazy_policy_shows_at_once(void **state)
{
    (void)state;
    struct rw_part p = opened(false, 0, 0, 0, -1);
    struct rw_part_out out = step(&p, (struct rw_part_event){RW_PART_APPENDED, .end = 10});
    assert_true(out.acked_moved && out.readable_moved);
    assert_false(out.flush_wanted);
    out = step(&p, (struct rw_part_event){RW_PART_FLUSHED, .durable = 10});
    assert_false(out.acked_moved || out.readable_moved);
}

static void test_policy_change(void **state)
{
    (void)state;
    struct rw_part p = opened(false, 0, 0, 0, -1);
    step(&p, (struct rw_part_event){RW_PART_APPENDED, .end = 10});
    struct rw_part_out out =
        step(&p, (struct rw_part_event){RW_PART_POLICY, .durable_policy = true});
    /* What was shown stays shown; what comes next waits. */
    assert_true(out.flush_wanted);
    assert_int_equal(p.high_watermark, 10);
    assert_int_equal(rw_part_acked(&p), 0);
    out = step(&p, (struct rw_part_event){RW_PART_POLICY, .durable_policy = false});
    assert_true(out.acked_moved);
    assert_int_equal(rw_part_acked(&p), 10);
}

static void test_open_after_crash(void **state)
{
    (void)state;
    /* The checkpoint promises more than recovery found. */
    struct rw_part p = opened(true, 5, 20, 20, 50);
    assert_int_equal(p.high_watermark, 20);
    /* An old checkpoint: what is on disk counts. */
    p = opened(true, 5, 20, 20, 6);
    assert_int_equal(p.high_watermark, 20);
    /* Promised before, not known to be durable now. */
    p = opened(true, 5, 10, 20, 15);
    assert_int_equal(p.high_watermark, 15);
    p = opened(true, 5, 5, 20, -1);
    assert_int_equal(p.high_watermark, 5);
}

static void test_trim_and_truncate(void **state)
{
    (void)state;
    struct rw_part p = opened(true, 0, 100, 100, 100);
    struct rw_part_out out = step(&p, (struct rw_part_event){RW_PART_TRIMMED, .start = 40});
    assert_true(out.start_moved);
    assert_int_equal(p.start, 40);
    out = step(&p, (struct rw_part_event){RW_PART_TRIMMED, .start = 30});
    assert_false(out.start_moved);
    step(&p, (struct rw_part_event){RW_PART_TRUNCATED, .end = 60});
    assert_int_equal(p.end, 60);
    assert_int_equal(p.high_watermark, 60);
    step(&p, (struct rw_part_event){RW_PART_TRIMMED, .start = 80});
    assert_int_equal(p.end, 80);
}

static void test_failure(void **state)
{
    (void)state;
    struct rw_part p = opened(true, 0, 0, 0, -1);
    step(&p, (struct rw_part_event){RW_PART_APPENDED, .end = 10});
    struct rw_part_out out = step(&p, (struct rw_part_event){.kind = RW_PART_FAILED});
    assert_true(out.failed);
    assert_false(out.flush_wanted || out.acked_moved);
    out = step(&p, (struct rw_part_event){.kind = RW_PART_FAILED});
    assert_false(out.failed);
    /* A late report of success does not make anything readable. */
    step(&p, (struct rw_part_event){RW_PART_FLUSHED, .durable = 10});
    assert_int_equal(p.high_watermark, 0);
}

static void test_epochs(void **state)
{
    (void)state;
    struct rw_part p = opened(true, 0, 0, 0, -1);
    assert_int_equal(rw_part_check_epoch(&p, -1), RW_EPOCH_FINE);
    assert_int_equal(rw_part_check_epoch(&p, 3), RW_EPOCH_FINE);
    assert_int_equal(rw_part_check_epoch(&p, 2), RW_EPOCH_FENCED);
    assert_int_equal(rw_part_check_epoch(&p, 4), RW_EPOCH_UNKNOWN);
}

static void test_open_transaction_bounds_committed_readers(void **state)
{
    (void)state;
    struct rw_part p = opened(false, 0, 0, 0, -1);
    p.first_unstable = 4;
    step(&p, (struct rw_part_event){RW_PART_APPENDED, .end = 10});
    assert_int_equal(rw_part_readable(&p, true), 4);
    assert_int_equal(rw_part_readable(&p, false), 10);
}

/* Random events; the machine's own assertions watch, and the high watermark never goes back but by a
 * truncation. */
static void test_random_walk(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        uint64_t x = seed * 0x9e3779b97f4a7c15u;
        struct rw_part p = opened(seed & 1, 0, 0, 0, -1);
        for (int i = 0; i < 300; i++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            int64_t r = (int64_t)(x >> 40) % 20, before = p.high_watermark;
            struct rw_part_event e = {RW_PART_APPENDED, .end = p.end + r};
            switch ((x >> 33) % 6) {
            case 1:
                e = (struct rw_part_event){RW_PART_FLUSHED, .durable = p.durable + r};
                break;
            case 2:
                e = (struct rw_part_event){RW_PART_TRIMMED, .start = p.start + r / 3};
                break;
            case 3:
                e = (struct rw_part_event){RW_PART_POLICY, .durable_policy = r & 1};
                break;
            case 4:
                if (r == 0)
                    e = (struct rw_part_event){RW_PART_TRUNCATED, .end = p.end - 3};
                break;
            default:
                break;
            }
            struct rw_part_out out = step(&p, e);
            assert_true(p.high_watermark >= before || e.kind == RW_PART_TRUNCATED);
            assert_true(out.readable_moved == (p.high_watermark != before));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durable_policy_waits_for_the_disk),
        cmocka_unit_test(test_lazy_policy_shows_at_once),
        cmocka_unit_test(test_policy_change),
        cmocka_unit_test(test_open_after_crash),
        cmocka_unit_test(test_trim_and_truncate),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_epochs),
        cmocka_unit_test(test_open_transaction_bounds_committed_readers),
        cmocka_unit_test(test_random_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
