/* The leader epoch cache: assignment, truncation, OffsetForLeaderEpoch, its text. */
#include "log_test.h"

#include <string.h>

#include "log/epochs.h"

static void assign(struct rw_epochs *e, int32_t epoch, int64_t offset)
{
    assert_int_equal(rw_epochs_reserve(e, 1), RW_OK);
    rw_epochs_assign(e, epoch, offset);
}

static void expect_end(const struct rw_epochs *e, int32_t ask, int32_t epoch, int64_t end)
{
    int32_t got_epoch;
    int64_t got_end;
    rw_epochs_end_of(e, ask, 100, &got_epoch, &got_end);
    assert_int_equal(got_epoch, epoch);
    assert_int_equal(got_end, end);
}

static void answers_where_epochs_end(void **state)
{
    (void)state;
    struct rw_epochs e;
    rw_epochs_init(&e);
    expect_end(&e, 0, -1, -1);
    assign(&e, 2, 10);
    assign(&e, 2, 15);
    assign(&e, 5, 40);
    assign(&e, 6, 70);
    assert_int_equal(e.n, 3);
    expect_end(&e, 6, 6, 100);
    expect_end(&e, 7, -1, -1);
    expect_end(&e, 5, 5, 70);
    expect_end(&e, 4, 2, 40);
    expect_end(&e, 2, 2, 40);
    expect_end(&e, 1, 1, 10);
    expect_end(&e, -1, -1, -1);
    rw_epochs_deinit(&e);
}

static void truncates_both_ends(void **state)
{
    (void)state;
    struct rw_epochs e;
    rw_epochs_init(&e);
    for (int i = 0; i < 10; i++)
        assign(&e, i, i * 10);
    assert_int_equal(e.unsaved, 0);
    e.unsaved = INT64_MAX; /* all of it is in the file now */
    rw_epochs_truncate_end(&e, 70);
    assert_int_equal(rw_epochs_latest(&e), 6);
    assert_int_equal(e.unsaved, 70);
    rw_epochs_truncate_start(&e, 25);
    assert_int_equal(e.unsaved, 70);
    assert_int_equal(e.at[0].epoch, 2);
    assert_int_equal(e.at[0].start, 25);
    rw_epochs_truncate_start(&e, 30);
    assert_int_equal(e.at[0].epoch, 3);
    /* A lower epoch at a lower offset contradicts what is there: later entries go. */
    assign(&e, 4, 35);
    assert_int_equal(rw_epochs_latest(&e), 4);
    assert_int_equal(e.at[e.n - 1].start, 35);
    assert_int_equal(e.unsaved, 35);
    rw_epochs_clear(&e);
    assert_int_equal(rw_epochs_latest(&e), -1);
    assert_int_equal(e.unsaved, 0);
    rw_epochs_deinit(&e);
}

static void text_round_trip_and_rubbish(void **state)
{
    (void)state;
    struct rw_epochs e, back;
    struct rw_buf text;
    rw_epochs_init(&e);
    rw_epochs_init(&back);
    rw_buf_init(&text);
    assign(&e, 0, 0);
    assign(&e, 3, 1234);
    rw_epochs_format(&e, &text);
    assert_string_equal(rw_buf_cstr(&text), "0\n2\n0 0\n3 1234\n");
    assert_int_equal(rw_epochs_parse(&back, (char *)text.p, text.n), RW_OK);
    assert_int_equal(back.n, 2);
    for (size_t n = 0; n < text.n; n++)
        assert_int_equal(rw_epochs_parse(&back, (char *)text.p, n), RW_E_CORRUPT);
    static const char *const bad[] = {"1\n0\n",          "0\n1\n5\n",   "0\n2\n3 5\n2 9\n",
                                      "0\n1\n3 5\nmore", "0\n-1\n",     "0\n1\nx 5\n",
                                      "0\n1\n1 -5\n",    "0\n1\n1 5x\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(rw_epochs_parse(&back, bad[i], strlen(bad[i])), RW_E_CORRUPT);
    rw_buf_deinit(&text);
    rw_epochs_deinit(&e);
    rw_epochs_deinit(&back);
}

static void the_log_keeps_them(void **state)
{
    (void)state;
    struct log_test t;
    log_test_init(&t);
    assert_int_equal(log_test_open(&t, false, 0), RW_OK);
    struct rw_buf bytes;
    rw_buf_init(&bytes);
    for (int i = 0; i < 6; i++) {
        rw_buf_clear(&bytes);
        log_test_batch(&bytes, 10, 1000, 10);
        const struct rw_append_args args = {.leader_epoch = i / 2, .as_leader = true};
        struct rw_append_info info;
        assert_int_equal(rw_log_append(t.log, bytes.p, bytes.n, &args, &info), RW_OK);
    }
    for (int round = 0; round < 3; round++) {
        int32_t epoch;
        int64_t end;
        assert_int_equal(rw_log_latest_epoch(t.log), 2);
        rw_log_epoch_end(t.log, 1, &epoch, &end);
        assert_int_equal(epoch, 1);
        assert_int_equal(end, 40);
        log_test_close(&t, round == 1);
        assert_int_equal(log_test_open(&t, round == 1, 0), RW_OK);
    }
    assert_int_equal(rw_log_truncate(t.log, 40), RW_OK);
    assert_int_equal(rw_log_latest_epoch(t.log), 1);
    rw_buf_deinit(&bytes);
    log_test_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_where_epochs_end),
        cmocka_unit_test(truncates_both_ends),
        cmocka_unit_test(text_round_trip_and_rubbish),
        cmocka_unit_test(the_log_keeps_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
