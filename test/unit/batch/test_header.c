/* header.c: the layout to the byte, what decode refuses, patches in place. */
#include "sample.h"

static void layout_to_the_byte(void **state)
{
    (void)state;
    static const uint8_t want[] = {0,  0,    0, 0,  0, 0,   0, 7,    /* base offset */
                                   0,  0,    0, 60,                  /* length after this field */
                                   0,  0,    0, 5,                   /* leader epoch */
                                   2,                                /* magic */
                                   0,  0,    0, 0,                   /* CRC, filled in below */
                                   0,  0x10,                         /* transactional */
                                   0,  0,    0, 0,                   /* last offset delta */
                                   0,  0,    0, 0,  0, 0,   3, 0xe8, /* base timestamp 1000 */
                                   0,  0,    0, 0,  0, 0,   3, 0xe8, /* max timestamp */
                                   0,  0,    0, 0,  0, 0,   0, 9,    /* producer id */
                                   0,  2,                            /* producer epoch */
                                   0,  0,    0, 3,                   /* base sequence */
                                   0,  0,    0, 1,                   /* count */
                                   20, 0,    0, 0,  2, 'k', 4, 'v',  'w', 0};
    struct rw_builder b;
    struct rw_slice out;
    rw_builder_init(&b);
    rw_builder_reset(&b, 7);
    b.leader_epoch = 5;
    b.attributes = RW_ATTR_TRANSACTIONAL;
    b.producer_id = 9;
    b.producer_epoch = 2;
    b.base_sequence = 3;
    const struct rw_record record = {.timestamp = 1000, .key = text("k"), .value = text("vw")};
    assert_int_equal(rw_builder_add(&b, &record, NULL, 0), RW_OK);
    assert_int_equal(rw_builder_finish(&b, &out), RW_OK);
    uint8_t bytes[sizeof(want)];
    memcpy(bytes, want, sizeof(want));
    bytes[11] = sizeof(want) - 12;
    bytes[61] = (sizeof(want) - 62) * 2; /* zig-zag */
    seal(bytes, sizeof(bytes));
    assert_int_equal(out.n, sizeof(want));
    assert_memory_equal(out.p, bytes, out.n);
    rw_builder_deinit(&b);
}

static int decode_with(size_t at, size_t size, uint64_t value)
{
    size_t n;
    struct rw_batch b;
    uint8_t *p = sample_batch(RW_CODEC_NONE, 3, &n);
    for (size_t i = 0; i < size; i++)
        p[at + i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    int code = rw_batch_decode(p, n, &b);
    free(p);
    return code;
}

static void refused(void **state)
{
    (void)state;
    assert_int_equal(decode_with(0, 8, 5), RW_OK);
    assert_int_equal(decode_with(0, 8, UINT64_MAX), RW_E_CORRUPT);
    assert_int_equal(decode_with(0, 8, INT64_MAX), RW_E_CORRUPT);
    assert_int_equal(decode_with(0, 8, INT64_MAX - 2), RW_E_CORRUPT);
    assert_int_equal(decode_with(0, 8, INT64_MAX - 3), RW_OK);
    assert_int_equal(decode_with(8, 4, 48), RW_E_CORRUPT);
    assert_int_equal(decode_with(8, 4, 49), RW_OK);
    assert_int_equal(decode_with(8, 4, UINT32_MAX), RW_E_CORRUPT);
    assert_int_equal(decode_with(16, 1, 0), RW_E_UNSUPPORTED);
    assert_int_equal(decode_with(16, 1, 1), RW_E_UNSUPPORTED);
    assert_int_equal(decode_with(16, 1, 3), RW_E_CORRUPT);
    assert_int_equal(decode_with(16, 1, 255), RW_E_CORRUPT);
    assert_int_equal(decode_with(21, 2, 5), RW_E_UNSUPPORTED);
    assert_int_equal(decode_with(23, 4, UINT32_MAX), RW_E_CORRUPT);
    assert_int_equal(decode_with(57, 4, UINT32_MAX), RW_E_CORRUPT);
    uint8_t old_format[20] = {[16] = 1};
    struct rw_batch b;
    assert_int_equal(rw_batch_decode(old_format, sizeof(old_format), &b), RW_E_UNSUPPORTED);
    assert_int_equal(rw_batch_decode(old_format, 16, &b), RW_E_SHORT);
}

static void patches(void **state)
{
    (void)state;
    size_t n;
    struct rw_batch b;
    uint8_t *p = sample_batch(RW_CODEC_LZ4, 4, &n);
    assert_int_equal(rw_batch_check(p, n, &b), RW_OK);
    uint32_t crc = b.crc;
    rw_batch_set_base_offset(p, INT64_C(0x0102030405060708));
    rw_batch_set_leader_epoch(p, 77);
    assert_int_equal(rw_batch_check(p, n, &b), RW_OK);
    assert_int_equal(b.crc, crc);
    assert_int_equal(b.leader_epoch, 77);
    assert_int_equal(rw_batch_last_offset(&b), INT64_C(0x0102030405060708) + 3);
    rw_batch_set_max_timestamp(p, n, 123);
    assert_int_equal(rw_batch_check(p, n, &b), RW_OK);
    assert_int_equal(b.max_timestamp, 123);
    assert_int_equal(b.attributes, RW_CODEC_LZ4);
    rw_batch_set_log_append_time(p, n, 456);
    assert_int_equal(rw_batch_check(p, n, &b), RW_OK);
    assert_int_equal(b.max_timestamp, 456);
    assert_int_equal(b.attributes, RW_CODEC_LZ4 | RW_ATTR_LOG_APPEND_TIME);
    free(p);
}

static void sequences_wrap(void **state)
{
    (void)state;
    assert_int_equal(rw_sequence_add(5, 3), 8);
    assert_int_equal(rw_sequence_add(INT32_MAX, 1), 0);
    assert_int_equal(rw_sequence_add(INT32_MAX - 1, 5), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout_to_the_byte),
        cmocka_unit_test(refused),
        cmocka_unit_test(patches),
        cmocka_unit_test(sequences_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
