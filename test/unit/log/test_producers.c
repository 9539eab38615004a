/* Producer state: what is admitted, what is a duplicate, wrap, epochs, expiry, snapshot files. */
#include "log_test.h"

#include <string.h>

#include "log/producers.h"

static struct rw_batch batch_of(int64_t pid, int16_t epoch, int32_t sequence, int32_t count,
                                int64_t offset)
{
    return (struct rw_batch){.producer_id = pid,
                             .producer_epoch = epoch,
                             .base_sequence = sequence,
                             .last_offset_delta = count - 1,
                             .records_count = count,
                             .base_offset = offset,
                             .max_timestamp = 5};
}

static int offer(struct rw_producers *ps, struct rw_batch b, struct rw_producer_verdict *v)
{
    int rc = rw_producers_check(ps, &b, v);
    if (rc || v->duplicate)
        return rc;
    assert_int_equal(rw_producers_reserve(ps, b.producer_id), RW_OK);
    rw_producers_add(ps, &b, 100);
    return RW_OK;
}

static void last_five_batches_are_known(void **state)
{
    (void)state;
    struct rw_producers ps;
    struct rw_producer_verdict v;
    rw_producers_init(&ps);
    for (int i = 0; i < 7; i++)
        assert_int_equal(offer(&ps, batch_of(9, 0, i * 10, 10, 1000 + i * 10), &v), RW_OK);
    for (int i = 2; i < 7; i++) {
        assert_int_equal(offer(&ps, batch_of(9, 0, i * 10, 10, 5000), &v), RW_OK);
        assert_true(v.duplicate);
        assert_int_equal(v.first_offset, 1000 + i * 10);
        assert_int_equal(v.last_offset, 1009 + i * 10);
    }
    assert_int_equal(offer(&ps, batch_of(9, 0, 10, 10, 5000), &v), RW_E_SEQUENCE);
    /* Same first sequence, other length: not the same batch. */
    assert_int_equal(offer(&ps, batch_of(9, 0, 60, 9, 5000), &v), RW_E_SEQUENCE);
    assert_int_equal(offer(&ps, batch_of(9, 0, 71, 1, 5000), &v), RW_E_SEQUENCE);
    assert_non_null(v.why);
    assert_int_equal(offer(&ps, batch_of(9, 0, 70, 1, 1070), &v), RW_OK);
    rw_producers_deinit(&ps);
}

static void unknown_producers_start_anywhere(void **state)
{
    (void)state;
    struct rw_producers ps;
    struct rw_producer_verdict v;
    rw_producers_init(&ps);
    assert_int_equal(offer(&ps, batch_of(1, 3, 777, 5, 0), &v), RW_OK);
    assert_int_equal(offer(&ps, batch_of(1, 3, 782, 1, 5), &v), RW_OK);
    rw_producers_deinit(&ps);
}

static void epochs_fence_and_restart(void **state)
{
    (void)state;
    struct rw_producers ps;
    struct rw_producer_verdict v;
    rw_producers_init(&ps);
    assert_int_equal(offer(&ps, batch_of(1, 3, 0, 5, 0), &v), RW_OK);
    assert_int_equal(offer(&ps, batch_of(1, 2, 5, 1, 5), &v), RW_E_FENCED);
    assert_int_equal(offer(&ps, batch_of(1, 4, 5, 1, 5), &v), RW_E_SEQUENCE);
    assert_int_equal(offer(&ps, batch_of(1, 4, 0, 1, 5), &v), RW_OK);
    assert_false(v.duplicate);
    assert_int_equal(offer(&ps, batch_of(1, 3, 5, 1, 6), &v), RW_E_FENCED);
    rw_producers_deinit(&ps);
}

static void sequences_wrap(void **state)
{
    (void)state;
    struct rw_producers ps;
    struct rw_producer_verdict v;
    rw_producers_init(&ps);
    assert_int_equal(offer(&ps, batch_of(1, 0, INT32_MAX - 1, 4, 0), &v), RW_OK);
    assert_int_equal(offer(&ps, batch_of(1, 0, INT32_MAX - 1, 4, 0), &v), RW_OK);
    assert_true(v.duplicate);
    assert_int_equal(offer(&ps, batch_of(1, 0, 3, 1, 4), &v), RW_E_SEQUENCE);
    assert_int_equal(offer(&ps, batch_of(1, 0, 2, 1, 4), &v), RW_OK);
    rw_producers_deinit(&ps);
}

static void expiry_keeps_open_transactions(void **state)
{
    (void)state;
    struct rw_producers ps;
    struct rw_producer_verdict v;
    rw_producers_init(&ps);
    for (int i = 0; i < 100; i++)
        assert_int_equal(offer(&ps, batch_of(i, 0, 0, 1, i), &v), RW_OK);
    struct rw_batch open = batch_of(50, 0, 1, 1, 200);
    open.attributes = RW_ATTR_TRANSACTIONAL;
    rw_producers_add(&ps, &open, 100);
    assert_int_equal(rw_producers_first_txn(&ps), 200);
    rw_producers_expire(&ps, 150, 51);
    assert_int_equal(ps.n, 100);
    rw_producers_expire(&ps, 150, 50);
    assert_int_equal(ps.n, 1);
    assert_non_null(rw_producers_find(&ps, 50));
    assert_null(rw_producers_find(&ps, 51));
    rw_producers_end_txn(&ps, &open, 7, 100);
    assert_int_equal(rw_producers_first_txn(&ps), -1);
    rw_producers_expire(&ps, 150, 50);
    assert_int_equal(ps.n, 0);
    rw_producers_deinit(&ps);
}

/* Ids are numbers that anybody can send. */
static void ids_without_end(void **state)
{
    (void)state;
    struct rw_producers ps;
    struct rw_producer_verdict v;
    rw_producers_init(&ps);
    struct rw_batch open = batch_of(7, 0, 0, 1, 0);
    open.attributes = RW_ATTR_TRANSACTIONAL;
    assert_int_equal(offer(&ps, open, &v), RW_OK);
    assert_int_equal(rw_producers_reserve(&ps, 8), RW_OK); /* its batch is still to come */
    const int n = 3 * RW_PRODUCERS_MAX;
    for (int i = 1; i <= n; i++) {
        assert_int_equal(offer(&ps, batch_of(1000 + i, 0, 0, 1, i), &v), RW_OK);
        assert_true(ps.n <= RW_PRODUCERS_MAX);
    }
    assert_non_null(rw_producers_find(&ps, 7));
    assert_non_null(rw_producers_find(&ps, 8));
    assert_null(rw_producers_find(&ps, 1001));
    /* Whoever wrote lately is known: at least seven eighths of the room. */
    for (int i = n - RW_PRODUCERS_MAX / 8 * 7 + 10; i <= n; i++)
        assert_non_null(rw_producers_find(&ps, 1000 + i));
    rw_producers_deinit(&ps);
}

/* Bytes as Kafka's ProducerStateManager writes them for one producer. */
static void snapshot_bytes(void **state)
{
    (void)state;
    struct rw_producers ps, back;
    struct rw_producer_verdict v;
    struct rw_buf bytes;
    rw_buf_init(&bytes);
    rw_producers_init(&ps);
    rw_producers_init(&back);
    assert_int_equal(offer(&ps, batch_of(0x0102, 3, 5, 2, 0x10), &v), RW_OK);
    rw_snapshot_encode(&ps, &bytes);
    static const uint8_t after_crc[] = {
        0, 0, 0, 1,   0,    0,    0,    0,    0,    0,    1,    2,    0,    3,    0,    0,   0,
        6, 0, 0, 0,   0,    0,    0,    0,    0x11, 0,    0,    0,    1,    0,    0,    0,   0,
        0, 0, 0, 100, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    assert_int_equal(bytes.n, 6 + sizeof(after_crc));
    assert_int_equal(bytes.p[1], 1);
    assert_memory_equal(bytes.p + 6, after_crc, sizeof(after_crc));
    assert_int_equal(rw_snapshot_decode(&back, rw_slice(bytes.p, bytes.n)), RW_OK);
    const struct rw_producer *p = rw_producers_find(&back, 0x0102);
    assert_int_equal(p->epoch, 3);
    assert_int_equal(p->batches[0].last_sequence, 6);
    assert_int_equal(p->txn_first_offset, -1);
    for (size_t i = 0; i < bytes.n; i++) {
        bytes.p[i] ^= 0x40;
        assert_int_not_equal(rw_snapshot_decode(&back, rw_slice(bytes.p, bytes.n)), RW_OK);
        assert_int_equal(back.n, 0);
        bytes.p[i] ^= 0x40;
        assert_int_not_equal(rw_snapshot_decode(&back, rw_slice(bytes.p, i)), RW_OK);
    }
    rw_buf_deinit(&bytes);
    rw_producers_deinit(&ps);
    rw_producers_deinit(&back);
}

static void survives_restart(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_append_info info;
    log_test_init(&t);
    for (int clean = 0; clean < 2; clean++) {
        assert_int_equal(log_test_open(&t, clean, 0), RW_OK);
        int32_t from = clean ? 30 : 0;
        for (int i = 0; i < 3; i++)
            assert_int_equal(log_test_produce(&t, 7, 0, from + i * 10, 10, &info), RW_OK);
        int64_t first = info.first_offset;
        log_test_close(&t, clean);
        assert_int_equal(log_test_open(&t, clean, 0), RW_OK);
        assert_int_equal(log_test_produce(&t, 7, 0, from + 20, 10, &info), RW_OK);
        assert_true(info.duplicate);
        assert_int_equal(info.first_offset, first);
        assert_int_equal(log_test_produce(&t, 7, 0, from + 40, 10, &info), RW_E_SEQUENCE);
        log_test_close(&t, clean);
    }
    /* After a truncation the producer stands where the log ends. */
    assert_int_equal(log_test_open(&t, true, 60), RW_OK);
    assert_int_equal(rw_log_truncate(t.log, 40), RW_OK);
    assert_int_equal(log_test_produce(&t, 7, 0, 60, 10, &info), RW_E_SEQUENCE);
    assert_int_equal(log_test_produce(&t, 7, 0, 40, 10, &info), RW_OK);
    assert_int_equal(info.first_offset, 40);
    log_test_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_five_batches_are_known),
        cmocka_unit_test(unknown_producers_start_anywhere),
        cmocka_unit_test(epochs_fence_and_restart),
        cmocka_unit_test(sequences_wrap),
        cmocka_unit_test(expiry_keeps_open_transactions),
        cmocka_unit_test(ids_without_end),
        cmocka_unit_test(snapshot_bytes),
        cmocka_unit_test(survives_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
