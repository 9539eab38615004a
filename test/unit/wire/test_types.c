/*
 * Every type and every attribute of the schema language, whether or not a message of Kafka uses the
 * combination today: a message made by hand whose fields are ordinary in version 0, tagged (with the same
 * defaults) in version 1, and strict, absent, in version 2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "base/assert.h"
#include "base/mem.h"
#include "wire/message.h"

struct inner {
    int32_t x;
};

struct all {
    bool b;
    int8_t i8;
    int16_t i16;
    uint16_t u16;
    int32_t i32;
    uint32_t u32;
    int64_t i64;
    double f64;
    struct rw_uuid uuid;
    struct rw_str str, null_str;
    struct rw_slice bytes, null_bytes;
    struct rw_wire_records records, null_records;
    struct inner one;
    struct inner *pointer;
    int32_t n_numbers;
    int64_t *numbers;
    int32_t n_inners;
    struct inner *inners;
};

static const struct rw_field inner_fields[] = {
    {"x", .type = RW_T_I32, .last = 9, .null_first = 1, .offset = offsetof(struct inner, x)},
};
static const struct inner inner_blank = {5};
static const struct rw_desc inner_desc = {
    "inner", inner_fields, &inner_blank, 1, 0, sizeof(struct inner), 0, 9, 1};

#define AT(name)         .offset = offsetof(struct all, name)
#define NEVER            .null_first = 1
#define NULLABLE         .null_last = 9
#define COUNT(name, min) .count = offsetof(struct all, n_##name), .min_size = min

/* The fields but for versions and tags, which the three messages set differently. */
static const struct rw_field pattern[] = {
    {"b", RW_T_BOOL, NEVER, AT(b)},
    {"i8", RW_T_I8, NEVER, AT(i8)},
    {"i16", RW_T_I16, NEVER, AT(i16)},
    {"u16", RW_T_U16, NEVER, AT(u16)},
    {"i32", RW_T_I32, NEVER, AT(i32)},
    {"u32", RW_T_U32, NEVER, AT(u32)},
    {"i64", RW_T_I64, NEVER, AT(i64)},
    {"f64", RW_T_F64, NEVER, AT(f64)},
    {"uuid", RW_T_UUID, NEVER, AT(uuid)},
    {"str", RW_T_STRING, NEVER, AT(str)},
    {"nstr", RW_T_STRING, RW_F_NULL, NULLABLE, AT(null_str)},
    {"bytes", RW_T_BYTES, NEVER, AT(bytes)},
    {"nbytes", RW_T_BYTES, RW_F_NULL, NULLABLE, AT(null_bytes)},
    {"records", RW_T_RECORDS, NEVER, AT(records)},
    {"nrecords", RW_T_RECORDS, RW_F_NULL, NULLABLE, AT(null_records)},
    {"one", RW_T_STRUCT, NEVER, AT(one), .sub = &inner_desc},
    {"pointer", RW_T_STRUCT, RW_F_POINTER | RW_F_NULL, NULLABLE, AT(pointer), .sub = &inner_desc},
    {"numbers", RW_T_I64, RW_F_ARRAY, NEVER, AT(numbers), COUNT(numbers, 8)},
    {"inners", RW_T_STRUCT, RW_F_ARRAY | RW_F_NULL, NULLABLE, AT(inners), COUNT(inners, 4),
     .sub = &inner_desc},
};

#define N RW_COUNT(pattern)

static const struct all all_blank = {
    .b = true,
    .i8 = -1,
    .i16 = -2,
    .u16 = 65535,
    .i32 = -4,
    .u32 = 4000000000,
    .i64 = INT64_MIN,
    .f64 = 0.5,
    .str = {"text", 4},
    .null_str = {NULL, -1},
    .bytes = {(const uint8_t *)"", 0},
    .records = {.p = (const uint8_t *)""},
    .one = {5},
    .n_inners = -1,
};

struct kind {
    struct rw_field fields[N];
    struct rw_desc desc;
};

static void make(struct kind *k, bool tagged, uint8_t first, uint8_t flags)
{
    memcpy(k->fields, pattern, sizeof(pattern));
    for (size_t i = 0; i < N; i++) {
        k->fields[i].first = first;
        k->fields[i].last = 9;
        k->fields[i].flags |= flags;
        k->fields[i].tag = (uint16_t)(i * 20); /* both one and two bytes long */
    }
    k->desc = (struct rw_desc){
        "all", k->fields, &all_blank, tagged ? 0 : N, tagged ? N : 0, sizeof(struct all), 0, 9, 1};
}

static struct inner inners[] = {{1}, {2}};
static int64_t numbers[] = {7, 8, 9};

/* Gives field i another value than its default. */
static void change(struct all *m, size_t i)
{
    switch (i) {
    case 0:
        m->b = false;
        break;
    case 1:
        m->i8 = 11;
        break;
    case 2:
        m->i16 = 12;
        break;
    case 3:
        m->u16 = 13;
        break;
    case 4:
        m->i32 = 14;
        break;
    case 5:
        m->u32 = 15;
        break;
    case 6:
        m->i64 = 16;
        break;
    case 7:
        m->f64 = 17;
        break;
    case 8:
        m->uuid.b[3] = 18;
        break;
    case 9:
        m->str = RW_STR_LIT("other");
        break;
    case 10:
        m->null_str = RW_STR_LIT("");
        break;
    case 11:
        m->bytes = rw_slice("x", 1);
        break;
    case 12:
        m->null_bytes = rw_slice("", 0);
        break;
    case 13:
        m->records.p = (const uint8_t *)"rr";
        m->records.n = 2;
        break;
    case 14:
        m->null_records.p = (const uint8_t *)"";
        break;
    case 15:
        m->one.x = 19;
        break;
    case 16:
        m->pointer = inners;
        break;
    case 17:
        m->n_numbers = 3;
        m->numbers = numbers;
        break;
    default:
        m->n_inners = 2;
        m->inners = inners;
        break;
    }
}

static void same(const struct all *a, const struct all *b)
{
    assert_int_equal(a->b, b->b);
    assert_int_equal(a->i8, b->i8);
    assert_int_equal(a->i16, b->i16);
    assert_int_equal(a->u16, b->u16);
    assert_int_equal(a->i32, b->i32);
    assert_true(a->u32 == b->u32);
    assert_true(a->i64 == b->i64);
    assert_true(a->f64 == b->f64);
    assert_true(rw_uuid_eq(a->uuid, b->uuid));
    assert_true(rw_str_eq(a->str, b->str));
    assert_true(rw_str_eq(a->null_str, b->null_str));
    assert_true(rw_slice_eq(a->bytes, b->bytes));
    assert_true(rw_slice_eq(a->null_bytes, b->null_bytes));
    assert_true(
        rw_slice_eq(rw_slice(a->records.p, a->records.n), rw_slice(b->records.p, b->records.n)));
    assert_true(rw_slice_eq(rw_slice(a->null_records.p, a->null_records.n),
                            rw_slice(b->null_records.p, b->null_records.n)));
    assert_int_equal(a->one.x, b->one.x);
    assert_int_equal(!a->pointer, !b->pointer);
    assert_true(!a->pointer || a->pointer->x == b->pointer->x);
    assert_int_equal(a->n_numbers, b->n_numbers);
    for (int32_t i = 0; i < a->n_numbers; i++)
        assert_true(a->numbers[i] == b->numbers[i]);
    assert_int_equal(a->n_inners, b->n_inners);
    for (int32_t i = 0; i < a->n_inners; i++)
        assert_int_equal(a->inners[i].x, b->inners[i].x);
}

/* Writes and reads back; returns the size on the wire. */
static size_t travel(const struct rw_desc *d, int16_t version, const struct all *m)
{
    struct rw_arena arena;
    struct rw_writer w;
    struct rw_reader r;
    struct all ret;
    memset(&ret, 0x5a, sizeof(ret));
    rw_arena_init(&arena, 0);
    rw_writer_init(&w);
    rw_message_write(d, &w, version, m);
    assert_int_equal(rw_writer_code(&w), RW_OK);
    rw_reader_init(&r, w.buf.p, w.buf.n, &arena);
    assert_int_equal(rw_message_read(d, &r, version, &ret), RW_OK);
    assert_int_equal(rw_reader_left(&r), 0);
    same(m, &ret);
    size_t n = w.buf.n;
    for (size_t i = 0; i < n; i++) {
        rw_reader_init(&r, w.buf.p, i, &arena);
        int code = rw_message_read(d, &r, version, &ret);
        assert_true(code == RW_E_SHORT || code == RW_E_CORRUPT);
    }
    rw_writer_deinit(&w);
    rw_arena_deinit(&arena);
    return n;
}

static void test_ordinary(void **state)
{
    (void)state;
    struct kind k;
    struct all m;
    make(&k, false, 0, 0);
    for (int16_t version = 0; version < 2; version++) {
        rw_message_init(&k.desc, &m);
        travel(&k.desc, version, &m);
        for (size_t i = 0; i < N; i++) {
            change(&m, i);
            travel(&k.desc, version, &m);
        }
    }
}

static void test_tagged(void **state)
{
    (void)state;
    struct kind k;
    struct all m;
    make(&k, true, 1, 0);
    rw_message_init(&k.desc, &m);
    /* Nothing but "no tags": every field has its default. */
    assert_int_equal(travel(&k.desc, 1, &m), 1);
    for (size_t i = 0; i < N; i++) {
        rw_message_init(&k.desc, &m);
        change(&m, i);
        assert_true(travel(&k.desc, 1, &m) > 3);
    }
    for (size_t i = 0; i < N; i++)
        change(&m, i);
    travel(&k.desc, 1, &m);
    /* Records that stay outside the buffer count as a value too. */
    rw_message_init(&k.desc, &m);
    struct rw_writer w;
    rw_writer_init(&w);
    m.null_records = (struct rw_wire_records){.ext = &w};
    rw_message_write(&k.desc, &w, 1, &m);
    assert_true(w.buf.n > 1);
    rw_writer_deinit(&w);
}

static void test_strict(void **state)
{
    (void)state;
    struct kind k;
    struct all m;
    struct rw_writer w;
    rw_writer_init(&w);
    for (int tagged = 0; tagged < 2; tagged++) {
        make(&k, tagged, 3, RW_F_STRICT);
        rw_message_init(&k.desc, &m);
        rw_writer_clear(&w);
        rw_message_write(&k.desc, &w, 2, &m);
        assert_int_equal(rw_writer_code(&w), RW_OK);
        for (size_t i = 0; i < N; i++) {
            rw_message_init(&k.desc, &m);
            change(&m, i);
            rw_writer_clear(&w);
            rw_message_write(&k.desc, &w, 2, &m);
            assert_int_equal(rw_writer_code(&w), RW_E_UNSUPPORTED);
        }
    }
    rw_writer_deinit(&w);
}

static void refused(const struct rw_desc *d, const struct all *m)
{
    struct rw_writer w;
    rw_writer_init(&w);
    rw_message_write(d, &w, 0, m);
    assert_int_equal(rw_writer_code(&w), RW_E_INVAL);
    rw_writer_deinit(&w);
}

static void test_null(void **state)
{
    (void)state;
    struct kind k;
    struct all m;
    make(&k, false, 0, 0);
    rw_message_init(&k.desc, &m);
    m.str = RW_STR_NULL;
    refused(&k.desc, &m);
    rw_message_init(&k.desc, &m);
    m.bytes = rw_slice(NULL, 0);
    refused(&k.desc, &m);
    rw_message_init(&k.desc, &m);
    m.records.p = NULL;
    refused(&k.desc, &m);
    rw_message_init(&k.desc, &m);
    m.n_numbers = -1;
    refused(&k.desc, &m);
    rw_message_init(&k.desc, &m);
    m.n_inners = -2;
    refused(&k.desc, &m);
    /* A structure that may be null in later versions only */
    k.fields[16].null_first = 1;
    rw_message_init(&k.desc, &m);
    refused(&k.desc, &m);
    m.pointer = inners;
    travel(&k.desc, 0, &m);
}

static void test_memory(void **state)
{
    (void)state;
    struct kind k;
    struct all m;
    struct rw_writer w;
    make(&k, true, 1, 0);
    rw_message_init(&k.desc, &m);
    /* Long enough that the size of the tag needs a second byte at the end of the buffer. */
    static uint8_t large[5000];
    m.bytes = rw_slice(large, sizeof(large));
    for (size_t i = 0; i < N; i++)
        if (i != 11)
            change(&m, i);
    uint64_t n = 0;
    for (uint64_t i = 1; i == 1 || i <= n; i++) {
        rw_writer_init(&w);
        rw_mem_fail_at(i, 1);
        rw_message_write(&k.desc, &w, 1, &m);
        n = rw_mem_count();
        rw_mem_fail_at(0, 0);
        assert_int_equal(rw_writer_code(&w), n >= i ? RW_E_NOMEM : RW_OK);
        rw_writer_deinit(&w);
    }
    travel(&k.desc, 1, &m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ordinary), cmocka_unit_test(test_tagged),
        cmocka_unit_test(test_strict),   cmocka_unit_test(test_null),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
