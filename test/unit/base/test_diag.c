/* diag.c and diag_format.c: the three forms to the byte, and that one line stays one line. */
#include "unit.h"
#include "base/diag.h"

static const struct rw_kv fields[] = {
    {"dir", RW_KV_STR, {.s = "/data/a b"}}, {"offset", RW_KV_INT, {.i = -42}},
    {"bytes", RW_KV_UINT, {.u = 7}},        {"rate", RW_KV_DOUBLE, {.d = 0.5}},
    {"clean", RW_KV_BOOL, {.i = 1}},        {"why", RW_KV_CODE, {.i = RW_E_CORRUPT}},
};

static const char *format(struct rw_buf *b, enum rw_diag_format f, bool colour, int node,
                          enum rw_level level, const char *message, size_t n)
{
    const struct rw_diag_line line = {level, "log", message, fields, n};
    rw_buf_clear(b);
    rw_diag_format_line(b, f, colour, 1700000000123, node, &line);
    return rw_buf_cstr(b);
}

static void three_forms(void **state)
{
    (void)state;
    struct rw_buf b = {0};
    assert_string_equal(
        format(&b, RW_DIAG_TEXT, false, 3, RW_WARN, "truncated a torn batch", 6),
        "2023-11-14T22:13:20.123Z WARN  log        truncated a torn batch node=3"
        " dir=\"/data/a b\" offset=-42 bytes=7 rate=0.5 clean=true why=\"corrupt data\"\n");
    assert_string_equal(
        format(&b, RW_DIAG_LOGFMT, false, -1, RW_INFO, "ready", 3),
        "ts=2023-11-14T22:13:20.123Z level=info logger=log msg=ready dir=\"/data/a b\""
        " offset=-42 bytes=7\n");
    assert_string_equal(
        format(&b, RW_DIAG_JSON, false, 0, RW_ERROR, "a \"b\"", 6),
        "{\"ts\":\"2023-11-14T22:13:20.123Z\",\"level\":\"error\",\"logger\":\"log\","
        "\"msg\":\"a \\\"b\\\"\",\"node\":0,\"dir\":\"/data/a b\",\"offset\":-42,\"bytes\":7,"
        "\"rate\":0.5,\"clean\":true,\"why\":\"corrupt data\"}\n");
    assert_string_equal(format(&b, RW_DIAG_TEXT, true, -1, RW_FATAL, "x", 0),
                        "\x1b[2m2023-11-14T22:13:20.123Z\x1b[0m \x1b[1;31mFATAL\x1b[0m log        "
                        "x\n");
    assert_string_equal(format(&b, RW_DIAG_TEXT, true, 1, RW_TRACE, "x", 0),
                        "\x1b[2m2023-11-14T22:13:20.123Z\x1b[0m \x1b[2mTRACE\x1b[0m log        x "
                        "\x1b[2mnode=\x1b[0m1\n");
    rw_buf_deinit(&b);
}

static void one_line_stays_one(void **state)
{
    (void)state;
    static const char nasty[] = "x\nlevel=error \x1b[31m\r\"=\\ \xff";
    const struct rw_kv kv = {"k", RW_KV_STR, {.s = nasty}};
    struct rw_buf b = {0};
    for (int f = RW_DIAG_TEXT; f <= RW_DIAG_JSON; f++) {
        const struct rw_diag_line line = {RW_INFO, "c", nasty, &kv, 1};
        rw_buf_clear(&b);
        rw_diag_format_line(&b, (enum rw_diag_format)f, false, 0, -1, &line);
        for (size_t i = 0; i < b.n - 1; i++)
            assert_true(b.p[i] >= ' ');
        assert_int_equal(b.p[b.n - 1], '\n');
    }
    const struct rw_kv empty = {"k", RW_KV_STR, {.s = ""}};
    const struct rw_diag_line line = {RW_INFO, "c", "m", &empty, 1};
    rw_buf_clear(&b);
    rw_diag_format_line(&b, RW_DIAG_LOGFMT, false, 0, -1, &line);
    assert_non_null(strstr(rw_buf_cstr(&b), "k=\"\"\n"));
    rw_buf_deinit(&b);
}

struct keeper {
    struct rw_diag base;
    int lines;
    size_t fields;
};

static void keep(struct rw_diag *d, const struct rw_diag_line *line)
{
    struct keeper *k = (struct keeper *)(void *)d;
    k->lines++;
    k->fields = line->n_fields;
    assert_string_equal(line->logger, "part");
}

static void levels_and_fields(void **state)
{
    (void)state;
    struct keeper k = {.base = {keep, RW_INFO}};
    struct rw_diag *none = NULL;
    enum rw_level level;
    rw_diag(none, RW_FATAL, "part", "nobody listens");
    rw_diag(&k.base, RW_DEBUG, "part", "below the level");
    assert_int_equal(k.lines, 0);
    rw_diag(&k.base, RW_INFO, "part", "no fields");
    assert_int_equal(k.fields, 0);
    rw_diag(&k.base, RW_FATAL, "part", "all kinds", rw_kv_str("a", NULL), rw_kv_int("b", 1),
            rw_kv_uint("c", 2), rw_kv_double("d", 3), rw_kv_bool("e", true), rw_kv_code("f", 0));
    assert_int_equal(k.lines, 2);
    assert_int_equal(k.fields, 6);
    for (int i = RW_TRACE; i <= RW_FATAL; i++) {
        assert_true(rw_level_parse(rw_level_name((enum rw_level)i), &level));
        assert_int_equal(level, i);
    }
    assert_false(rw_level_parse("loud", &level));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(three_forms),
                                       cmocka_unit_test(one_line_stays_one),
                                       cmocka_unit_test(levels_and_fields)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
