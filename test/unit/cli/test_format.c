/* The format mini-language, both directions, and its mistakes. */
#include "test_support.h"
#include <stdlib.h>
#include "base/mem.h"
#include "cli/format.h"

static struct rw_buf out;
static struct rw_format *format;

static int setup(void **state)
{
    (void)state;
    rw_buf_init(&out);
    format = NULL;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rw_buf_deinit(&out);
    rw_format_free(format);
    return 0;
}

static const uint8_t encoded_headers[] = {2, 'a', 2, '1', 4, 'b', 'b', 1};
static const struct rw_batch batch = {.leader_epoch = 3,
                                      .attributes = RW_CODEC_LZ4 | RW_ATTR_TRANSACTIONAL,
                                      .producer_id = 9,
                                      .producer_epoch = 1};
static const struct rw_record record = {.offset = 42,
                                        .timestamp = 1700000000123,
                                        .key = {(const uint8_t *)"key", 3},
                                        .value = {(const uint8_t *)"v\xff\"", 3},
                                        .headers_count = 2,
                                        .headers = {encoded_headers, sizeof(encoded_headers)}};
static const struct rw_record null_record = {.offset = 1};

static void render(const char *text, bool kcat, const struct rw_record *r, const char *expected,
                   size_t n)
{
    char error[160] = "";
    struct rw_format_record f = {.topic = "logs",
                                 .partition = 7,
                                 .record = r,
                                 .batch = &batch,
                                 .log_start_offset = 5,
                                 .last_stable_offset = 50,
                                 .high_watermark = 60,
                                 .number = 2};
    rw_format_free(format);
    format = NULL;
    rw_buf_clear(&out);
    assert_int_equal(rw_format_parse(text, kcat, &format, error), RW_OK);
    rw_format_render(format, &f, &out);
    assert_int_equal(out.n, n);
    assert_memory_equal(out.p, expected, n);
}

#define RENDER(text, expected)      render(text, false, &record, expected, sizeof(expected) - 1)
#define RENDER_KCAT(text, expected) render(text, true, &record, expected, sizeof(expected) - 1)

static void fields(void **state)
{
    (void)state;
    RENDER("%t-%p@%o e%e\\n", "logs-7@42 e3\n");
    RENDER("%T %K %V %H %i", "4 3 3 2 2");
    RENDER("%[ %| %]", "5 50 60");
    RENDER("%x/%y", "9/1");
    RENDER("%d %%%{%}", "1700000000123 %{}");
    RENDER("\\x41\\t\\\\\\r", "A\t\\\r");
    RENDER("%a{compression} %a{timestamp-type} %a{transactional} %a{control}",
           "lz4 CreateTime true false");
}

static void modifiers(void **state)
{
    (void)state;
    RENDER("%k{hex} %k{base64} %v{base64raw}", "6b6579 a2V5 dv8i");
    RENDER("%v{json}", "\"v\xef\xbf\xbd\\\"\"");
    RENDER("%o{hex32}|%o{hex8}", "0000002a|2a");
    RENDER("%p{big16}%p{little32}%p{byte}", "\0\x07\x07\0\0\0\x07");
    RENDER("%o{bool}", "true");
    RENDER("%d{strftime[%Y-%m-%d %H:%M:%S]}", "2023-11-14 22:13:20");
    RENDER("%h{%k=%v;}", "a=1;bb=;");
    RENDER("%h{%K:%V{big8},}", "1:\x01,2:\0,");
}

static void unpacked(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *bytes;
        size_t n;
        const char *text;
    } cases[] = {
        {">iq", "\xff\xff\xff\xfe\0\0\0\0\0\0\1\0", 12, "-2256"},
        {"bxBxhxH", "\xff\xff\xff\xff\xff\xff", 6, "-1 255 -1 65535"},
        {"<hxI>H", "\1\0\2\0\0\0\1\0", 8, "1 2256"},
        {"Q$", "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "18446744073709551615"},
        {"c.xs", "abrest", 6, "ab rest"},
        {"s$", "", 0, ""},
        {"b$", "\1\2\3", 3, "1(2 bytes more)"},
        {"bi", "\1\2\3", 3, "1(too short)"},
    };
    struct rw_buf b = {0};
    for (size_t i = 0; i < RW_COUNT(cases); i++) {
        rw_buf_clear(&b);
        assert_true(rw_format_unpack_check(cases[i].pattern));
        rw_format_unpack(cases[i].pattern, rw_slice(cases[i].bytes, cases[i].n), &b);
        assert_string_equal(rw_buf_cstr(&b), cases[i].text);
    }
    rw_buf_deinit(&b);
    RENDER("%k{unpack[cxs]}|%k{unpack#ccc$#}", "k ey|key");
}

static void nulls(void **state)
{
    (void)state;
    render("%k|%v|%K|%V|%k{json}", false, &null_record, "||0|0|null", 10);
    render("%K %S", true, &null_record, "-1 -1", 5);
}

static void kcat_letters(void **state)
{
    (void)state;
    RENDER_KCAT("%k=%S@%T", "key=3@1700000000123");
    RENDER_KCAT("%s", "v\xff\"");
}

static void mistakes(void **state)
{
    (void)state;
    static const char *const bad[] = {"%",
                                      "%q",
                                      "%v{",
                                      "%v{nope}",
                                      "\\q",
                                      "\\x4",
                                      "%o{hex4x}",
                                      "%h{%t}",
                                      "%h{%h{%k}}",
                                      "%a",
                                      "%a{x}",
                                      "%s",
                                      "%p{big4}",
                                      "%d{strftime[%F}",
                                      "%o{base64}",
                                      "%v{unpack[z]}",
                                      "%v{unpack[sb]}",
                                      "%v{unpack[]}",
                                      "%v{unpack[$b]}",
                                      "%o{unpack[b]}",
                                      "%v{re[(]}",
                                      "%o{re[a]}"};
    for (size_t i = 0; i < RW_COUNT(bad); i++) {
        char error[160] = "";
        assert_int_equal(rw_format_parse(bad[i], false, &format, error), RW_E_INVAL);
        assert_true(strstr(error, "character") || strstr(error, "%"));
    }
}

static void no_memory(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        char error[160] = "";
        rw_mem_fail_at(n, 1);
        int rc = rw_format_parse("%t x %h{%k=%v;}%d{strftime[%F]}\\n", false, &format, error);
        rw_mem_fail_at(0, 0);
        if (rc == RW_OK)
            break;
        assert_int_equal(rc, RW_E_NOMEM);
        assert_true(n < 100);
    }
}

/* ---- reading ---- */

static struct rw_format_header headers[RW_FORMAT_HEADERS_MAX];
static struct rw_format_input in = {.headers = headers};

static int read_one(const char *text, const char *input, size_t n, bool last, size_t *used)
{
    char error[160] = "";
    rw_format_free(format);
    format = NULL;
    assert_int_equal(rw_format_parse(text, false, &format, error), RW_OK);
    assert_int_equal(rw_format_check_input(format, error), RW_OK);
    return rw_format_read(format, (const uint8_t *)input, n, last, &in, used);
}

static bool is(struct rw_slice s, const char *text)
{
    return s.p && s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

static void reads_lines(void **state)
{
    (void)state;
    size_t used = 0;
    assert_int_equal(read_one("%v\\n", "one\ntwo", 7, false, &used), 1);
    assert_true(is(in.value, "one") && !in.key.p && used == 4);
    assert_int_equal(read_one("%v\\n", "two", 3, false, &used), RW_E_SHORT);
    assert_int_equal(read_one("%v\\n", "two", 3, true, &used), 1);
    assert_true(is(in.value, "two") && used == 3);
    assert_int_equal(read_one("%v\\n", "", 0, true, &used), 0);
    assert_int_equal(read_one("%v\\n", "\n", 1, false, &used), 1);
    assert_true(is(in.value, "") && used == 1);
    assert_int_equal(read_one("%v", "a\nb", 3, false, &used), RW_E_SHORT);
    assert_int_equal(read_one("%v", "a\nb", 3, true, &used), 1);
    assert_true(is(in.value, "a\nb"));
}

static void reads_fields(void **state)
{
    (void)state;
    size_t used = 0;
    const char *line = "logs 3 99 k::v v\n";
    assert_int_equal(read_one("%t %p %d %k::%v\\n", line, strlen(line), false, &used), 1);
    assert_true(is(in.topic, "logs") && is(in.key, "k") && is(in.value, "v v"));
    assert_true(in.has_partition && in.partition == 3 && in.has_timestamp && in.timestamp == 99);
    assert_int_equal(read_one("%k,%v\\n", "no comma\n", 9, true, &used), RW_E_INVAL);
    assert_int_equal(read_one("%p,%v\\n", "x,1\n", 4, true, &used), RW_E_INVAL);
}

static void reads_sizes(void **state)
{
    (void)state;
    size_t used = 0;
    assert_int_equal(
        read_one("%K{big32}%V{little16}%k%v", "\0\0\0\x01\x02\0kvv..", 11, false, &used), 1);
    assert_true(is(in.key, "k") && is(in.value, "vv") && used == 9);
    assert_int_equal(
        read_one("%K{big32}%V{big32}%k%v", "\xff\xff\xff\xff\0\0\0\0", 8, false, &used), 1);
    assert_true(!in.key.p && in.value.p && in.value.n == 0);
    assert_int_equal(read_one("%V{big32}%v", "\0\0\0\x05vv", 6, false, &used), RW_E_SHORT);
    assert_int_equal(read_one("%V{big32}%v", "\0\0\0\x05vv", 6, true, &used), RW_E_INVAL);
    assert_int_equal(read_one("%V{big32}%v", "\xf0\0\0\x05vv", 6, true, &used), RW_E_INVAL);
    assert_int_equal(read_one("%V %v", "2 abc", 5, false, &used), 1);
    assert_true(is(in.value, "ab") && used == 4);
}

static void reads_encoded(void **state)
{
    (void)state;
    size_t used = 0;
    assert_int_equal(read_one("%k{hex} %v{base64}\\n", "6b6579 aGVsbG8=\n", 16, false, &used), 1);
    assert_true(is(in.key, "key") && is(in.value, "hello"));
    assert_int_equal(read_one("%v{hex}\\n", "6x\n", 3, false, &used), RW_E_INVAL);
    assert_int_equal(read_one("%v{hex}\\n", "\n", 1, false, &used), 1);
    assert_true(in.value.p && in.value.n == 0);
}

static void reads_headers(void **state)
{
    (void)state;
    size_t used = 0;
    assert_int_equal(read_one("%H %h{%k=%v;}%v\\n", "2 a=1;b=2;x\n", 12, false, &used), 1);
    assert_int_equal(in.n_headers, 2);
    assert_true(is(in.headers[1].key, "b") && is(in.headers[1].value, "2") && is(in.value, "x"));
    assert_int_equal(read_one("%h{%k=%v;}%v\\n", "a=1;x\n", 6, false, &used), 1);
    assert_int_equal(in.n_headers, 1);
    assert_int_equal(read_one("%H %h{%k=%v;}%v\\n", "999 a", 5, false, &used), RW_E_INVAL);
}

static void unreadable_formats(void **state)
{
    (void)state;
    static const char *const bad[] = {"%k%v\\n",
                                      "%p%v",
                                      "x",
                                      "",
                                      "%e %v",
                                      "%v{json}\\n",
                                      "%h{%k=%v}%v\\n",
                                      "%d{strftime[%F]} %v"};
    for (size_t i = 0; i < RW_COUNT(bad); i++) {
        char error[160] = "";
        struct rw_format *f;
        assert_int_equal(rw_format_parse(bad[i], false, &f, error), RW_OK);
        assert_int_equal(rw_format_check_input(f, error), RW_E_INVAL);
        assert_true(error[0] != 0);
        rw_format_free(f);
    }
}

/* Whatever is written with a format that can be read comes back, cut at any place. */
static void round_trip(void **state)
{
    (void)state;
    static const char text[] = "%K{big32}%V{big32}%p{big16}%H{big8}%k%v%h{%K{big8}%V{big8}%k%v;}";
    size_t used = 0;
    render(text, false, &record,
           "\0\0\0\x03\0\0\0\x03\0\x07\x02keyv\xff\"\x01\x01"
           "a1;\x02\0bb;",
           27);
    for (size_t n = 0; n < out.n; n++)
        assert_int_equal(rw_format_read(format, out.p, n, false, &in, &used), RW_E_SHORT);
    assert_int_equal(rw_format_read(format, out.p, out.n, false, &in, &used), 1);
    assert_int_equal(used, out.n);
    assert_true(is(in.key, "key") && in.value.n == 3 && in.partition == 7 && in.n_headers == 2);
}

/* What ends the record ends the search for a field's delimiter, too. */
static void keeps_to_the_record(void **state)
{
    (void)state;
    size_t used = 0;
    assert_int_equal(read_one("%k %v\n", "lonely\nk v\n", 11, false, &used), RW_E_INVAL);
    assert_true(rw_format_reads_lines(format));
    assert_int_equal(read_one("%k %v\n", "lonely", 6, false, &used), RW_E_SHORT);
    assert_int_equal(read_one("%k %v\n", "lonely", 6, true, &used), RW_E_INVAL);
    assert_int_equal(read_one("%k %v\n", "k v", 3, true, &used), 1);
    assert_true(is(in.key, "k") && is(in.value, "v"));
    assert_int_equal(read_one("%k::%v\n", "k:", 2, true, &used), RW_E_INVAL);
    assert_int_equal(read_one("%d %v\n", "12\n", 3, false, &used), RW_E_INVAL);
    assert_int_equal(read_one("%h{%k=%v;}%v\n", "a\nb=c;\n", 8, false, &used), RW_E_INVAL);
    /* Delimiters that hold the record's end do not end it. */
    assert_int_equal(read_one("%k\n%v\n", "key\nvalue\n", 10, false, &used), 1);
    assert_true(is(in.key, "key") && is(in.value, "value"));
    assert_false(rw_format_reads_lines(format));
    assert_int_equal(read_one("%k\n--\n%v\n", "a\nb\n--\nc\n", 9, false, &used), 1);
    assert_true(is(in.key, "a\nb") && is(in.value, "c"));
    assert_int_equal(read_one("%V{ascii}:%v\n", "3:a\nb\n", 6, false, &used), 1);
    assert_true(is(in.value, "a\nb"));
}

/* Fields that end where an expression stops matching; more input might make the match longer. */
static void reads_expressions(void **state)
{
    (void)state;
    char error[160];
    size_t used;
    assert_int_equal(rw_format_parse("%k{re[[a-z]{2,}]}%v{re#[0-9]*#}\n", false, &format, error),
                     RW_OK);
    assert_int_equal(rw_format_check_input(format, error), RW_OK);
    assert_int_equal(rw_format_check_output(format, error), RW_E_INVAL);
    assert_int_equal(rw_format_read(format, (const uint8_t *)"abc", 3, false, &in, &used),
                     RW_E_SHORT);
    assert_int_equal(rw_format_read(format, (const uint8_t *)"abc12", 5, false, &in, &used),
                     RW_E_SHORT);
    assert_int_equal(rw_format_read(format, (const uint8_t *)"abc12\nx", 7, false, &in, &used), 1);
    assert_int_equal(used, 6);
    assert_true(is(in.key, "abc") && is(in.value, "12"));
    assert_int_equal(rw_format_read(format, (const uint8_t *)"abc\n", 4, true, &in, &used), 1);
    assert_int_equal(in.value.n, 0);
    assert_int_equal(rw_format_read(format, (const uint8_t *)"1\n", 2, true, &in, &used),
                     RW_E_INVAL);
    /* The NUL behind is for AddressSanitizer alone, whose regexec does not know REG_STARTEND. */
    enum { SIZE = 100000 };
    static uint8_t many[SIZE + 1];
    memset(many, 'x', SIZE);
    many[SIZE - 1] = '\n';
    assert_int_equal(rw_format_read(format, many, SIZE, true, &in, &used), 1);
    assert_int_equal(in.key.n, SIZE - 1);
}

static int input_teardown(void **state)
{
    rw_buf_deinit(&in.scratch);
    return teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fields, setup, teardown),
        cmocka_unit_test_setup_teardown(modifiers, setup, teardown),
        cmocka_unit_test_setup_teardown(unpacked, setup, teardown),
        cmocka_unit_test_setup_teardown(nulls, setup, teardown),
        cmocka_unit_test_setup_teardown(kcat_letters, setup, teardown),
        cmocka_unit_test(mistakes),
        cmocka_unit_test_setup_teardown(no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_lines, setup, input_teardown),
        cmocka_unit_test_setup_teardown(reads_fields, setup, input_teardown),
        cmocka_unit_test_setup_teardown(reads_sizes, setup, input_teardown),
        cmocka_unit_test_setup_teardown(reads_encoded, setup, input_teardown),
        cmocka_unit_test_setup_teardown(reads_headers, setup, input_teardown),
        cmocka_unit_test_setup_teardown(reads_expressions, setup, input_teardown),
        cmocka_unit_test(unreadable_formats),
        cmocka_unit_test_setup_teardown(keeps_to_the_record, setup, input_teardown),
        cmocka_unit_test_setup_teardown(round_trip, setup, input_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
