/* control.c: markers to the byte, there and back, and what is no marker. */
#include "sample.h"

static void markers(void **state)
{
    (void)state;
    struct rw_builder b;
    struct rw_slice out;
    struct rw_records r = {0};
    struct rw_record record;
    rw_builder_init(&b);
    for (int type = RW_CONTROL_ABORT; type <= RW_CONTROL_COMMIT; type++) {
        int16_t got;
        int32_t epoch;
        b.base_offset = 900;
        b.codec = RW_CODEC_ZSTD; /* does not apply to markers */
        assert_int_equal(rw_control_build(&b, (enum rw_control_type)type, SAMPLE_TIME, 12, 3, 44),
                         RW_OK);
        assert_int_equal(rw_builder_finish(&b, &out), RW_OK);
        assert_int_equal(rw_records_open(&r, out.p, out.n), RW_OK);
        assert_true(rw_batch_is_control(&r.batch));
        assert_int_equal(r.batch.attributes, RW_ATTR_CONTROL | RW_ATTR_TRANSACTIONAL);
        assert_int_equal(r.batch.producer_id, 12);
        assert_int_equal(r.batch.producer_epoch, 3);
        assert_int_equal(r.batch.base_sequence, -1);
        assert_int_equal(rw_records_next(&r, &record), 1);
        assert_int_equal(record.offset, 900);
        assert_int_equal(record.timestamp, SAMPLE_TIME);
        const uint8_t key[] = {0, 0, 0, (uint8_t)type}, value[] = {0, 0, 0, 0, 0, 44};
        assert_true(rw_slice_eq(record.key, rw_slice(key, 4)));
        assert_true(rw_slice_eq(record.value, rw_slice(value, 6)));
        assert_int_equal(rw_control_type(&record, &got, &epoch), RW_OK);
        assert_int_equal(got, type);
        assert_int_equal(epoch, 44);
        assert_int_equal(rw_records_next(&r, &record), 0);
    }
    assert_int_equal(rw_control_build(&b, RW_CONTROL_LEADER_CHANGE, 0, 0, 0, 0), RW_E_INVAL);
    rw_records_deinit(&r);
    rw_builder_deinit(&b);
}

static void no_markers(void **state)
{
    (void)state;
    static const uint8_t value[8] = {0, 0, 0, 0, 0, 1, 9, 9};
    static const struct {
        uint8_t key[4];
        size_t key_n, value_n;
        int code;
        int type;
    } cases[] = {
        {{0, 0, 0, 1}, 4, 6, RW_OK, RW_CONTROL_COMMIT},
        {{0, 0, 0, 1}, 4, 8, RW_OK, RW_CONTROL_COMMIT}, /* a later version adds fields */
        {{0, 1, 0, 1}, 4, 6, RW_OK, RW_CONTROL_COMMIT},
        {{0, 0, 0, 1}, 3, 6, RW_E_CORRUPT, 0},
        {{0, 0, 0, 1}, 4, 5, RW_E_CORRUPT, 0},
        {{0xff, 0xff, 0, 1}, 4, 6, RW_E_CORRUPT, 0},
        {{0, 0, 0x80, 1}, 4, 6, RW_E_CORRUPT, 0},
        {{0, 0, 0, 2}, 4, 0, RW_OK, RW_CONTROL_LEADER_CHANGE},
        {{0, 0, 0, 6}, 4, 0, RW_OK, 6},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int16_t type = -9;
        int32_t epoch = -9;
        const struct rw_record record = {.key = rw_slice(cases[i].key, cases[i].key_n),
                                         .value = rw_slice(value, cases[i].value_n)};
        assert_int_equal(rw_control_type(&record, &type, &epoch), cases[i].code);
        assert_int_equal(type, cases[i].code ? -9 : cases[i].type);
        if (cases[i].code == RW_OK)
            assert_int_equal(epoch, cases[i].type <= RW_CONTROL_COMMIT ? 1 : -1);
    }
    static const uint8_t bad_value[6] = {0x80};
    const struct rw_record record = {.key = rw_slice(cases[0].key, 4),
                                     .value = rw_slice(bad_value, 6)};
    int16_t type;
    int32_t epoch;
    assert_int_equal(rw_control_type(&record, &type, &epoch), RW_E_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(markers), cmocka_unit_test(no_markers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
