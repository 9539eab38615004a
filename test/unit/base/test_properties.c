/* properties.c: the examples of Java's documentation, escapes, continuation, line numbers, refusals,
 * and that what is written is read back. */
#include "unit.h"
#include "base/properties.h"

struct seen {
    struct rw_buf text; /* "line|key|value;" per pair */
    int stop_after;
};

static int note(void *arg, const struct rw_property *p)
{
    struct seen *s = arg;
    assert_int_equal(strlen(p->key.p), p->key.n);
    assert_int_equal(strlen(p->value.p), p->value.n);
    rw_buf_printf(&s->text, "%d|%s|%s;", p->line, p->key.p, p->value.p);
    return s->stop_after && --s->stop_after == 0 ? RW_E_CANCELED : RW_OK;
}

static void expect(const char *in, const char *want)
{
    struct seen s = {0};
    struct rw_err err;
    size_t n = strlen(in);
    char *exact = malloc(n + !n);
    assert_non_null(exact);
    memcpy(exact, in, n);
    assert_int_equal(rw_properties_parse(rw_slice(exact, n), note, &s, &err), RW_OK);
    assert_string_equal(rw_buf_cstr(&s.text), want);
    rw_buf_deinit(&s.text);
    free(exact);
}

static void forms(void **state)
{
    (void)state;
    expect("", "");
    expect("\n \t\f\n\r\n\r#c\n!c\n  # c", "");
    expect("Truth = Beauty\n   Truth:Beauty\nTruth   :Beauty",
           "1|Truth|Beauty;2|Truth|Beauty;3|Truth|Beauty;");
    expect("fruits   apple, banana, pear, \\\n   cantaloupe, \\\r\n  kiwi\nx=1",
           "1|fruits|apple, banana, pear, cantaloupe, kiwi;4|x|1;");
    expect("cheeses", "1|cheeses|;");
    expect("cheeses =\n", "1|cheeses|;");
    expect("a=b=c:d e\n", "1|a|b=c:d e;");
    expect("a  = : b", "1|a|: b;");
    expect("=v", "1||v;");
    expect("a\\=b\\:c\\ d = e", "1|a=b:c d|e;");
    expect("k=\\t\\n\\r\\f\\\\\\z", "1|k|\t\n\r\f\\z;");
    expect("k=\\u00e9\\u20AC\\uD83D\\uDE00", "1|k|\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80;");
    expect("k=v  ", "1|k|v  ;");
    expect("k=v\\", "1|k|v;");
    expect("k \\\n  = v", "1|k|v;");
    expect("ke\\\n  y=v", "1|key|v;");
    expect("\xef\xbb\xbfk=caf\xc3\xa9", "1|k|caf\xc3\xa9;");
    expect("a=1\rb=2\r\nc=3\n\n\nd=4", "1|a|1;2|b|2;3|c|3;6|d|4;");
    expect("# comment \\\nk=v", "2|k|v;");
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *in, *words;
    } cases[] = {
        {"a=1\nb=\\u12", "line 2: \\u needs four hexadecimal digits"},
        {"a=\\u12g4", "line 1: \\u needs four hexadecimal digits"},
        {"\\ud83d\\uzzzz=1", "line 1: \\u needs four hexadecimal digits"},
        {"a=\\ud83d", "line 1: \\ud83d is not a character"},
        {"a=\\ud83d\\u0041", "line 1: \\ud83d is not a character"},
        {"a=\\udc00", "line 1: \\udc00 is not a character"},
        {"a=\\u0000", "line 1: \\u0000 is not a character"},
        {"a=1\r\nb=2\rc=3\nd=\xff", "line 4: not UTF-8"},
    };
    struct seen s = {0};
    struct rw_err err;
    for (size_t i = 0; i < RW_COUNT(cases); i++) {
        assert_int_equal(rw_properties_parse(text(cases[i].in), note, &s, &err), RW_E_INVAL);
        assert_string_equal(err.text, cases[i].words);
    }
    assert_int_equal(rw_properties_parse(rw_slice("a=\0", 3), note, &s, &err), RW_E_INVAL);
    assert_string_equal(err.text, "line 1: a NUL byte");
    assert_int_equal(rw_properties_parse(rw_slice("a=\\\0", 4), note, &s, &err), RW_E_INVAL);
    assert_string_equal(err.text, "line 1: a NUL byte");
    assert_int_equal(rw_properties_parse(rw_slice("", (size_t)INT32_MAX + 1), note, &s, &err),
                     RW_E_TOO_BIG);
    rw_buf_clear(&s.text);
    s.stop_after = 2;
    assert_int_equal(rw_properties_parse(text("a=1\nb=2\nc=3"), note, &s, NULL), RW_E_CANCELED);
    assert_string_equal(rw_buf_cstr(&s.text), "1|a|1;2|b|2;");
    rw_buf_deinit(&s.text);
}

static int ignore(void *arg, const struct rw_property *p)
{
    (void)arg;
    (void)p;
    return RW_OK;
}

static void memory_runs_out(void **state)
{
    (void)state;
    struct rw_err err;
    static char in[600];
    memset(in, 'x', sizeof(in));
    uint64_t fail = 1;
    for (;; fail++) {
        rw_mem_fail_at(fail, 0);
        int code = rw_properties_parse(rw_slice(in, sizeof(in)), ignore, NULL, &err);
        bool done = rw_mem_count() < fail;
        rw_mem_fail_at(0, 0);
        if (done) {
            assert_int_equal(code, RW_OK);
            break;
        }
        assert_int_equal(code, RW_E_NOMEM);
        assert_string_equal(err.text, "out of memory");
    }
    assert_true(fail > 3);
}

static int compare(void *arg, const struct rw_property *p)
{
    const char *const *pair = arg;
    assert_string_equal(p->key.p, pair[0]);
    assert_string_equal(p->value.p, pair[1]);
    return RW_OK;
}

static void written_is_read(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"plain", "value"},        {"#key", "#value"},
        {" lead", " lead"},        {"a=b:c d", "a=b:c d"},
        {"back\\slash", "\\n"},    {"ctl\x01", "\t\n\r\f\x1f"},
        {"!x", "trailing blank "}, {"caf\xc3\xa9", ""},
        {"tn", "rf tn"},           {"\xef\xbb\xbfk", "\xef\xbb\xbf"},
    };
    struct rw_buf b = {0};
    struct rw_err err;
    for (size_t i = 0; i < RW_COUNT(pairs); i++) {
        const char *pair[2] = {pairs[i][0], pairs[i][1]};
        rw_buf_clear(&b);
        rw_properties_write(&b, rw_str(pair[0]), rw_str(pair[1]));
        assert_int_equal(rw_properties_parse(rw_slice(b.p, b.n), compare, pair, &err), RW_OK);
    }
    rw_buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),
        cmocka_unit_test(refused),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(written_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
