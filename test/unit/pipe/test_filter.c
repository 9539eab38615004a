/* Filters: what they let through, how they bind, and where they are wrong. */
#include <stdlib.h>
#include "base/mem.h"
#include "pipe/filter.h"
#include "unit.h"

/* Regular expressions of one kind: "^text", the beginning of a value; "^!" is too much work. */
static void *compile(const char *pattern, char error[120])
{
    if (pattern[0] != '^') {
        memcpy(error, "no caret", 9);
        return NULL;
    }
    return rw_strdup(pattern + 1);
}

static int match(void *regex, struct rw_str text)
{
    size_t n = strlen(regex);
    if (strcmp(regex, "!") == 0)
        return -1;
    return (size_t)text.n >= n && memcmp(text.p, regex, n) == 0;
}

static const struct rw_pipe_regex regex = {compile, match, rw_free};

static const char *const line =
    "{\"level\":\"WARN\",\"service\":\"api\",\"status\":404,\"path\":\"/health/x\",\"n\":null,"
    "\"user\":{\"id\":7},\"and\":1,\"ver\":\"1.10\",\"big\":\"9\",\"t\":\"2026-11-23\"}";

static int result(const char *text)
{
    struct rw_pipe_filter *f = NULL;
    struct rw_pipe_record r;
    struct rw_err err = {0};
    int rc = rw_pipe_filter_new(rw_str(text), &regex, &f, &err);
    if (rc)
        print_message("%s: %s\n", text, err.text);
    assert_int_equal(rc, RW_OK);
    rw_pipe_record_init(&r);
    assert_int_equal(rw_pipe_parse(RW_PIPE_JSON, NULL, rw_str(line), &r, &err), RW_OK);
    int is = rw_pipe_filter_match(f, &r);
    rw_pipe_record_deinit(&r);
    rw_pipe_filter_free(f);
    return is;
}

static bool passes(const char *text)
{
    int is = result(text);
    assert_true(is >= 0);
    return is;
}

static void test_too_much_work(void **state)
{
    (void)state;
    static const char *const given_up[] = {"path=~\"^!\"",
                                           "not path=~\"^!\"",
                                           "path=~\"^!\" or service=api",
                                           "service=api and path=~\"^!\"",
                                           "service=x or path=~\"^!\"",
                                           "not (not path=~\"^!\")"};
    for (size_t i = 0; i < sizeof(given_up) / sizeof(given_up[0]); i++)
        assert_int_equal(result(given_up[i]), -1);
    assert_true(passes("service=api or path=~\"^!\""));
    assert_false(passes("service=x and path=~\"^!\""));
}

static void wrong(const char *text, const char *words)
{
    struct rw_pipe_filter *f = NULL;
    struct rw_err err = {0};
    assert_int_equal(rw_pipe_filter_new(rw_str(text), &regex, &f, &err), RW_E_INVAL);
    assert_string_equal(err.text, words);
}

static void test_comparisons(void **state)
{
    (void)state;
    assert_true(passes("service=api"));
    assert_true(passes("service == 'api'"));
    assert_false(passes("service=apis"));
    assert_true(passes("service!=web"));
    assert_true(passes("status>=404 and status<405 and status<=404 and status>9"));
    assert_true(passes("status=404.0"));
    assert_false(passes("status>404"));
    assert_true(passes("big<10")); /* numbers in quotes are numbers too */
    assert_true(passes("t>2026-11-22 and t<\"2026-11-24\""));
    assert_false(passes("service>5")); /* a word is neither above nor below a number */
    assert_true(passes("path~health and not path~nothing and path~''"));
    assert_true(passes("path=~\"^/health\""));
    assert_true(passes("user.id=7"));
}

static void test_levels(void **state)
{
    (void)state;
    assert_true(passes("level>=warn"));
    assert_true(passes("level=warning"));
    assert_true(passes("level>info and level<error"));
    assert_false(passes("level>=error"));
    assert_false(passes("severity>=warn")); /* not there by this name */
    assert_true(passes("level!=debug"));
}

static void test_missing(void **state)
{
    (void)state;
    assert_false(passes("nothing=1"));
    assert_false(passes("nothing<1"));
    assert_true(passes("nothing!=1"));
    assert_true(passes("not nothing=1"));
    assert_false(passes("nothing"));
    assert_true(passes("service"));
    assert_false(passes("n")); /* null is as good as missing */
    assert_true(passes("n!=x"));
}

static void test_binding(void **state)
{
    (void)state;
    assert_true(passes("service=api or service=b and service=c"));
    assert_false(passes("(service=api or service=b) and service=c"));
    assert_true(passes("not service=b and not (service=c or service=d)"));
    assert_true(passes("NOT NOT service=api AND and=1"));
    assert_true(passes("(((service=api)))"));
}

static void test_errors_tell_where(void **state)
{
    (void)state;
    wrong("", "character 1: the name of a field was expected");
    wrong("a=", "character 3: a value was expected");
    wrong("a=1 b=2", "character 5: and, or, or the end was expected");
    wrong("(a=1", "character 1: this parenthesis is not closed");
    wrong("(a=1 b)", "character 6: and, or, or a closing parenthesis was expected");
    wrong("a=1)", "character 4: and, or, or the end was expected");
    wrong("a='x", "character 3: a quote is not closed");
    wrong("a=1 and", "character 8: the name of a field was expected");
    wrong("level>=loud",
          "character 8: no level has this name: trace, debug, info, notice, warn, error, critical, "
          "alert, fatal");
    wrong("a=~x", "character 4: no caret");
    wrong("a!~x", "character 2: an operator was expected: = != < <= > >= ~ =~");
}

static void test_depth_is_bounded(void **state)
{
    (void)state;
    char text[202];
    memset(text, '(', 200);
    memcpy(text + 200, "a", 2);
    wrong(text, "character 65: nested too deeply");
}

static void test_no_memory(void **state)
{
    (void)state;
    struct rw_pipe_filter *f = NULL;
    struct rw_err err;
    int rc = RW_E_NOMEM;
    for (uint64_t i = 1; rc && i < 20; i++) {
        rw_mem_fail_at(i, 1);
        rc = rw_pipe_filter_new(RW_STR_LIT("a='x' and b=c"), &regex, &f, &err);
        rw_mem_fail_at(0, 0);
        assert_true(rc == RW_OK || rc == RW_E_NOMEM);
    }
    assert_int_equal(rc, RW_OK);
    rw_pipe_filter_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_too_much_work),    cmocka_unit_test(test_comparisons),
        cmocka_unit_test(test_levels),           cmocka_unit_test(test_missing),
        cmocka_unit_test(test_binding),          cmocka_unit_test(test_errors_tell_where),
        cmocka_unit_test(test_depth_is_bounded), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
