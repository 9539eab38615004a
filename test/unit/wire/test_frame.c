/* Framing (src/wire/frame.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/mem.h"
#include "wire/frame.h"

static void test_check(void **state)
{
    (void)state;
    static const uint8_t frame[] = {0, 0, 0, 3, 'a', 'b', 'c', 'x'};
    size_t size;
    for (size_t n = 0; n < 4; n++) {
        size = 0;
        assert_int_equal(rw_frame_check(frame, n, 100, &size), RW_E_SHORT);
        assert_int_equal(size, 4);
    }
    for (size_t n = 4; n < 7; n++) {
        assert_int_equal(rw_frame_check(frame, n, 100, &size), RW_E_SHORT);
        assert_int_equal(size, 7);
    }
    assert_int_equal(rw_frame_check(frame, 7, 100, &size), RW_OK);
    assert_int_equal(rw_frame_check(frame, 8, 3, &size), RW_OK);
    assert_int_equal(size, 7);
    assert_int_equal(rw_frame_check(frame, 8, 2, &size), RW_E_TOO_BIG);
    assert_int_equal(rw_frame_check("\0\0\0\0", 4, 0, &size), RW_OK);
    assert_int_equal(size, 4);
    assert_int_equal(rw_frame_check("\xff\xff\xff\xff", 4, SIZE_MAX, &size), RW_E_CORRUPT);
    assert_int_equal(rw_frame_check("\x80\0\0\0", 4, SIZE_MAX, &size), RW_E_CORRUPT);
    assert_int_equal(rw_frame_check("\x7f\xff\xff\xff", 4, SIZE_MAX, &size), RW_E_SHORT);
    assert_int_equal(size, (size_t)INT32_MAX + 4);
}

static void test_begin_and_end(void **state)
{
    (void)state;
    struct rw_writer w;
    int file;
    size_t size;
    rw_writer_init(&w);
    rw_frame_begin(&w);
    rw_write_i16(&w, 1);
    rw_write_records(&w, (struct rw_wire_records){.n = 10, .ext = &file}, false);
    assert_int_equal(rw_frame_end(&w), RW_OK);
    assert_int_equal(rw_frame_check(w.buf.p, w.buf.n, 100, &size), RW_E_SHORT);
    assert_int_equal(size, 4 + 2 + 4 + 10);
    assert_int_equal(size, rw_writer_size(&w));
    rw_write_records(&w, (struct rw_wire_records){.n = INT32_MAX, .ext = &file}, false);
    assert_int_equal(rw_frame_end(&w), RW_E_TOO_BIG);
    rw_writer_fail(&w, RW_E_INVAL);
    assert_int_equal(rw_frame_end(&w), RW_E_INVAL);
    rw_writer_deinit(&w);
    rw_mem_fail_at(1, 1);
    rw_frame_begin(&w);
    assert_int_equal(rw_frame_end(&w), RW_E_NOMEM);
    rw_mem_fail_at(0, 0);
    rw_writer_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_begin_and_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
