/* The primitives of src/wire/codec.c: encodings byte for byte, and refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "base/mem.h"
#include "wire/codec.h"

static void same_bytes(const struct rw_writer *w, const char *want, size_t n)
{
    assert_int_equal(rw_writer_code(w), RW_OK);
    assert_int_equal(w->buf.n, n);
    assert_memory_equal(w->buf.p, want, n);
}

#define SAME(w, text) same_bytes(w, text, sizeof(text) - 1)

static struct rw_reader reader(const char *p, size_t n)
{
    struct rw_reader r;
    rw_reader_init(&r, p, n, NULL);
    return r;
}

#define READER(text) reader(text, sizeof(text) - 1)

static void test_numbers(void **state)
{
    (void)state;
    struct rw_writer w;
    rw_writer_init(&w);
    rw_write_bool(&w, true);
    rw_write_i8(&w, -2);
    rw_write_i16(&w, -3);
    rw_write_u16(&w, 0xfedc);
    rw_write_i32(&w, INT32_MIN);
    rw_write_u32(&w, 0xdeadbeef);
    rw_write_i64(&w, INT64_MAX);
    rw_write_f64(&w, 1.5);
    SAME(&w, "\x01\xfe\xff\xfd\xfe\xdc\x80\x00\x00\x00\xde\xad\xbe\xef"
             "\x7f\xff\xff\xff\xff\xff\xff\xff\x3f\xf8\x00\x00\x00\x00\x00\x00");
    struct rw_reader r;
    rw_reader_init(&r, w.buf.p, w.buf.n, NULL);
    assert_true(rw_read_bool(&r));
    assert_int_equal(rw_read_i8(&r), -2);
    assert_int_equal(rw_read_i16(&r), -3);
    assert_int_equal(rw_read_u16(&r), 0xfedc);
    assert_int_equal(rw_read_i32(&r), INT32_MIN);
    assert_true(rw_read_u32(&r) == 0xdeadbeef);
    assert_true(rw_read_i64(&r) == INT64_MAX);
    assert_true(rw_read_f64(&r) == 1.5);
    assert_int_equal(r.code, RW_OK);
    assert_int_equal(rw_reader_left(&r), 0);
    assert_int_equal(rw_read_i8(&r), 0);
    assert_int_equal(r.code, RW_E_SHORT);
    rw_writer_deinit(&w);
}

static void test_uvarint(void **state)
{
    (void)state;
    static const uint32_t values[] = {0, 1, 127, 128, 16383, 16384, 2097151, 2097152, UINT32_MAX};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct rw_writer w;
        rw_writer_init(&w);
        rw_write_uvarint(&w, values[i]);
        for (size_t n = 0; n <= w.buf.n; n++) {
            struct rw_reader r = reader((const char *)w.buf.p, n);
            uint32_t v = rw_read_uvarint(&r);
            assert_int_equal(r.code, n < w.buf.n ? RW_E_SHORT : RW_OK);
            assert_true(n < w.buf.n || v == values[i]);
        }
        rw_writer_deinit(&w);
    }
    struct rw_reader r = READER("\xff\xff\xff\xff\x10");
    rw_read_uvarint(&r);
    assert_int_equal(r.code, RW_E_CORRUPT);
    r = READER("\x80\x80\x80\x80\x80\x01");
    rw_read_uvarint(&r);
    assert_int_equal(r.code, RW_E_CORRUPT);
}

static void test_strings(void **state)
{
    (void)state;
    struct rw_writer w;
    rw_writer_init(&w);
    rw_write_string(&w, RW_STR_LIT("abc"), false);
    rw_write_string(&w, RW_STR_NULL, false);
    rw_write_string(&w, RW_STR_LIT(""), false);
    rw_write_string(&w, RW_STR_LIT("abc"), true);
    rw_write_string(&w, RW_STR_NULL, true);
    rw_write_string(&w, RW_STR_LIT(""), true);
    SAME(&w, "\0\3abc\xff\xff\0\0\4abc\0\1");
    struct rw_reader r = reader((const char *)w.buf.p, w.buf.n);
    for (int flexible = 0; flexible < 2; flexible++) {
        assert_true(rw_str_is(rw_read_string(&r, flexible, true), "abc"));
        assert_int_equal(rw_read_string(&r, flexible, true).n, -1);
        struct rw_str empty = rw_read_string(&r, flexible, false);
        assert_int_equal(empty.n, 0);
        assert_non_null(empty.p);
    }
    assert_int_equal(r.code, RW_OK);
    rw_writer_deinit(&w);

    r = READER("\xff\xff");
    rw_read_string(&r, false, false);
    assert_int_equal(r.code, RW_E_CORRUPT);
    r = READER("\xff\xfe");
    rw_read_string(&r, false, true);
    assert_int_equal(r.code, RW_E_CORRUPT);
    r = READER("\0\4abc");
    rw_read_string(&r, false, true);
    assert_int_equal(r.code, RW_E_SHORT);
    r = READER("\x81\x80\x02"); /* 32768 bytes announced */
    rw_read_string(&r, true, true);
    assert_int_equal(r.code, RW_E_CORRUPT);
}

static void test_bytes_and_records(void **state)
{
    (void)state;
    struct rw_writer w;
    rw_writer_init(&w);
    for (int flexible = 0; flexible < 2; flexible++) {
        rw_write_bytes(&w, rw_slice("xy", 2), flexible);
        rw_write_bytes(&w, rw_slice(NULL, 0), flexible);
        rw_write_bytes(&w, rw_slice("", 0), flexible);
        rw_write_records(&w, (struct rw_wire_records){.p = (const uint8_t *)"z", .n = 1}, flexible);
        rw_write_records(&w, (struct rw_wire_records){0}, flexible);
    }
    SAME(&w, "\0\0\0\2xy\xff\xff\xff\xff\0\0\0\0\0\0\0\1z\xff\xff\xff\xff"
             "\3xy\0\1\2z\0");
    struct rw_reader r = reader((const char *)w.buf.p, w.buf.n);
    for (int flexible = 0; flexible < 2; flexible++) {
        assert_true(rw_slice_eq(rw_read_bytes(&r, flexible, false), rw_slice("xy", 2)));
        assert_null(rw_read_bytes(&r, flexible, true).p);
        struct rw_slice empty = rw_read_bytes(&r, flexible, true);
        assert_non_null(empty.p);
        assert_int_equal(empty.n, 0);
        assert_int_equal(rw_read_records(&r, flexible, true).n, 1);
        assert_null(rw_read_records(&r, flexible, true).p);
    }
    assert_int_equal(r.code, RW_OK);
    rw_writer_deinit(&w);
    r = READER("\x80\0\0\0");
    rw_read_bytes(&r, false, true);
    assert_int_equal(r.code, RW_E_CORRUPT);
}

static void test_records_outside_the_buffer(void **state)
{
    (void)state;
    struct rw_writer w;
    rw_writer_init(&w);
    int file;
    for (int i = 0; i < 20; i++)
        rw_write_records(&w, (struct rw_wire_records){.n = 1000, .ext = &file}, false);
    rw_write_i8(&w, 7);
    assert_int_equal(rw_writer_code(&w), RW_OK);
    assert_int_equal(w.n_inserts, 20);
    assert_int_equal(w.buf.n, 81);
    assert_int_equal(rw_writer_size(&w), 20081);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(w.inserts[i].at, 4 * (i + 1));
        assert_int_equal(w.inserts[i].n, 1000);
        assert_ptr_equal(w.inserts[i].ext, &file);
    }
    rw_writer_clear(&w);
    assert_int_equal(rw_writer_size(&w), 0);
    rw_writer_deinit(&w);
}

static void test_counts(void **state)
{
    (void)state;
    struct rw_reader r = READER("\0\0\0\2abcd");
    assert_int_equal(rw_read_count(&r, false, false, 2), 2);
    r = READER("\0\0\0\3abcd"); /* three of two bytes do not fit into four */
    rw_read_count(&r, false, false, 2);
    assert_int_equal(r.code, RW_E_CORRUPT);
    r = READER("\x7f\xff\xff\xff");
    rw_read_count(&r, false, false, 1);
    assert_int_equal(r.code, RW_E_CORRUPT);
    r = READER("\xff\xff\xff\xff\x0f");
    rw_read_count(&r, true, false, 1);
    assert_int_equal(r.code, RW_E_CORRUPT);
    r = READER("\0");
    assert_int_equal(rw_read_count(&r, true, true, 1), -1);
    assert_int_equal(r.code, RW_OK);
    r = READER("\0");
    rw_read_count(&r, true, false, 1);
    assert_int_equal(r.code, RW_E_CORRUPT);
    r = READER("\xff\xff\xff\xfe");
    rw_read_count(&r, false, true, 1);
    assert_int_equal(r.code, RW_E_CORRUPT);
}

static void test_tags_are_skipped(void **state)
{
    (void)state;
    struct rw_reader r = READER("\2\5\3abc\x81\1\0X");
    rw_read_skip_tags(&r);
    assert_int_equal(r.code, RW_OK);
    assert_int_equal(rw_read_i8(&r), 'X');
    /* A count of tags that never come ends at the end of the bytes, not after 2^32 rounds. */
    r = READER("\xff\xff\xff\xff\x0f\1\0");
    rw_read_skip_tags(&r);
    assert_int_equal(r.code, RW_E_SHORT);
    r = READER("\1\0\5abc");
    rw_read_skip_tags(&r);
    assert_int_equal(r.code, RW_E_SHORT);
}

static void test_errors_stick(void **state)
{
    (void)state;
    struct rw_reader r = READER("\0\0\0\0\0\0");
    rw_reader_fail(&r, RW_E_CORRUPT);
    rw_reader_fail(&r, RW_E_SHORT);
    assert_int_equal(r.code, RW_E_CORRUPT);
    assert_int_equal(rw_reader_left(&r), 0);
    rw_read_i64(&r);
    assert_int_equal(r.code, RW_E_CORRUPT);
    struct rw_writer w;
    rw_writer_init(&w);
    rw_write_string(&w, (struct rw_str){"", 40000}, true);
    assert_int_equal(rw_writer_code(&w), RW_E_INVAL);
    rw_write_count(&w, -2, false);
    rw_writer_fail(&w, RW_E_NOMEM);
    assert_int_equal(rw_writer_code(&w), RW_E_INVAL);
    assert_true(rw_writer_failed(&w));
    rw_writer_clear(&w);
    assert_false(rw_writer_failed(&w));
    rw_write_bytes(&w, rw_slice("", (size_t)INT32_MAX + 1), true);
    assert_int_equal(rw_writer_code(&w), RW_E_INVAL);
    rw_writer_deinit(&w);
}

static void write_everything(struct rw_writer *w)
{
    int file;
    for (int i = 0; i < 100; i++) {
        rw_write_uuid(w, (struct rw_uuid){{1}});
        rw_write_f64(w, 0.5);
        rw_write_string(w, RW_STR_LIT("some text"), i & 1);
        rw_write_records(w, (struct rw_wire_records){.n = 5, .ext = &file}, i & 1);
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    rw_mem_fail_at(0, 0);
    struct rw_writer w;
    rw_writer_init(&w);
    write_everything(&w);
    assert_int_equal(rw_writer_code(&w), RW_OK);
    rw_writer_deinit(&w);
    uint64_t n = rw_mem_count();
    assert_true(n > 5);
    for (uint64_t i = 1; i <= n; i++) {
        rw_writer_init(&w);
        rw_mem_fail_at(i, 0);
        write_everything(&w);
        rw_mem_fail_at(0, 0);
        assert_int_equal(rw_writer_code(&w), RW_E_NOMEM);
        rw_writer_deinit(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_uvarint),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_bytes_and_records),
        cmocka_unit_test(test_records_outside_the_buffer),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_tags_are_skipped),
        cmocka_unit_test(test_errors_stick),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
