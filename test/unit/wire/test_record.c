/* Metadata records (src/wire/record.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "wire/messages.h"
#include "wire/record.h"

static void test_frame(void **state)
{
    (void)state;
    struct rw_topic_record m;
    struct rw_writer w;
    rw_writer_init(&w);
    rw_topic_record_init(&m);
    m.name = RW_STR_LIT("t");
    m.topic_id.b[15] = 9;
    rw_record_write(&w, rw_record_type_find(RW_TOPIC_RECORD), 0, &m);
    static const char want[] = "\1\2\0\2t\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x09\0";
    assert_int_equal(rw_writer_code(&w), RW_OK);
    assert_int_equal(w.buf.n, sizeof(want) - 1);
    assert_memory_equal(w.buf.p, want, w.buf.n);

    struct rw_arena arena;
    struct rw_reader r;
    const struct rw_record_type *type = NULL;
    int16_t version = -1;
    void *ret = NULL;
    rw_arena_init(&arena, 0);
    rw_reader_init(&r, w.buf.p, w.buf.n, &arena);
    assert_int_equal(rw_record_read(&r, &type, &version, &ret), RW_OK);
    assert_int_equal(type->id, RW_TOPIC_RECORD);
    assert_string_equal(type->name, "TopicRecord");
    assert_int_equal(version, 0);
    const struct rw_topic_record *copy = ret;
    assert_true(rw_str_is(copy->name, "t"));
    assert_int_equal(copy->topic_id.b[15], 9);
    for (size_t n = 0; n < w.buf.n; n++) {
        rw_reader_init(&r, w.buf.p, n, &arena);
        assert_int_equal(rw_record_read(&r, &type, &version, &ret), RW_E_SHORT);
    }
    rw_arena_deinit(&arena);
    rw_writer_deinit(&w);
}

static int read_bytes(const char *p, size_t n, size_t limit)
{
    struct rw_arena arena;
    struct rw_reader r;
    const struct rw_record_type *type;
    int16_t version;
    void *m;
    rw_arena_init(&arena, limit);
    rw_reader_init(&r, p, n, &arena);
    int code = rw_record_read(&r, &type, &version, &m);
    rw_arena_deinit(&arena);
    return code;
}

static void test_refused(void **state)
{
    (void)state;
    assert_int_equal(read_bytes("\1\x14\0\0", 4, 0), RW_OK); /* NoOpRecord */
    assert_int_equal(read_bytes("\0\x14\0\0", 4, 0), RW_E_UNSUPPORTED);
    assert_int_equal(read_bytes("\1\x7f\0\0", 4, 0), RW_E_UNSUPPORTED);
    assert_int_equal(read_bytes("\1\x14\x09\0", 4, 0), RW_E_UNSUPPORTED);
    assert_int_equal(read_bytes("\1\x94\x80\x04\0\0", 6, 0), RW_E_UNSUPPORTED);
    assert_int_equal(read_bytes("\1\2\0\1", 4, 4), RW_E_NOMEM);
}

static void test_table(void **state)
{
    (void)state;
    size_t n;
    const struct rw_record_type *all = rw_record_type_table(&n);
    assert_true(n >= 8);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(rw_record_type_find(all[i].id), &all[i]);
        assert_int_equal(all[i].size, all[i].desc->size);
    }
    assert_int_equal(RW_REGISTER_BROKER_RECORD, 0);
    assert_int_equal(RW_PARTITION_RECORD, 3);
    assert_int_equal(RW_CONFIG_RECORD, 4);
    assert_int_equal(RW_REMOVE_TOPIC_RECORD, 9);
    assert_int_equal(RW_FEATURE_LEVEL_RECORD, 12);
    assert_int_equal(RW_PRODUCER_IDS_RECORD, 15);
    assert_int_equal(RW_NO_OP_RECORD, 20);
    assert_null(rw_record_type_find(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
