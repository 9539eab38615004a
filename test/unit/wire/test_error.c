/* The table of error codes and the bridge from our own (src/wire/error.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "base/code.h"
#include "wire/error.h"

static void test_table(void **state)
{
    (void)state;
    for (int16_t e = RW_KERR_FIRST; e <= RW_KERR_LAST; e++) {
        assert_true(strlen(rw_kerr_name(e)) > 3);
        assert_true(strlen(rw_kerr_text(e)) > 6);
    }
    assert_int_equal(RW_KERR_SHARE_SESSION_LIMIT_REACHED, 133);
    assert_string_equal(rw_kerr_name(-1), "UNKNOWN_SERVER_ERROR");
    assert_string_equal(rw_kerr_name(0), "NONE");
    assert_string_equal(rw_kerr_name(6), "NOT_LEADER_OR_FOLLOWER");
    assert_string_equal(rw_kerr_name(133), "SHARE_SESSION_LIMIT_REACHED");
    assert_string_equal(rw_kerr_name(134), "UNKNOWN");
    assert_string_equal(rw_kerr_name(-2), "UNKNOWN");
    assert_string_equal(rw_kerr_name(INT16_MIN), "UNKNOWN");
    assert_non_null(strstr(rw_kerr_text(INT16_MAX), "does not know"));
    assert_true(rw_kerr_retriable(RW_KERR_NOT_LEADER_OR_FOLLOWER));
    assert_true(rw_kerr_retriable(RW_KERR_KAFKA_STORAGE_ERROR));
    assert_false(rw_kerr_retriable(RW_KERR_NONE));
    assert_false(rw_kerr_retriable(RW_KERR_OFFSET_OUT_OF_RANGE));
    assert_false(rw_kerr_retriable(1000));
}

static void test_bridge(void **state)
{
    (void)state;
    for (int code = -1; code > -RW_CODE_COUNT; code--) {
        int16_t e = rw_kerr_from_code(code);
        assert_int_not_equal(e, RW_KERR_NONE);
        assert_string_not_equal(rw_kerr_name(e), "UNKNOWN");
        /* What we call transient must look transient to a client. */
        if (rw_code_class(code) == RW_CLASS_RETRY)
            assert_true(rw_kerr_retriable(e));
    }
    assert_int_equal(rw_kerr_from_code(RW_OK), RW_KERR_NONE);
    assert_int_equal(rw_kerr_from_code(RW_E_CORRUPT), RW_KERR_CORRUPT_MESSAGE);
    assert_int_equal(rw_kerr_from_code(RW_E_FULL), RW_KERR_KAFKA_STORAGE_ERROR);
    assert_int_equal(rw_kerr_from_code(-999), RW_KERR_UNKNOWN_SERVER_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_bridge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
