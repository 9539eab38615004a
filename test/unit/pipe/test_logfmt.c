/* logfmt, as Go's and our own loggers write it. */
#include "unit.h"

static void test_pairs(void **state)
{
    (void)state;
    unit_parses(RW_PIPE_LOGFMT, "level=info msg=\"hello world\" n=12 f=-0.5 ok=true none=null flag",
                "level:s=info msg:s=hello world n:n=12 f:n=-0.5 ok:b=true none:z=null flag:b=true");
    unit_parses(RW_PIPE_LOGFMT, "  a=  b=\"\"\tc=x=y ", "a:s= b:s= c:s=x=y");
    /* What is quoted is text; leading zeros are no number. */
    unit_parses(RW_PIPE_LOGFMT, "a=\"1\" b=007 c=1.2.3", "a:s=1 b:s=007 c:s=1.2.3");
}

static void test_escapes(void **state)
{
    (void)state;
    unit_parses(RW_PIPE_LOGFMT, "a=\"x\\\"y\\\\z\\n\\u00e9\\u00\"", "a:s=x\"y\\z\n\xc3\xa9u00");
}

static void test_refusals(void **state)
{
    (void)state;
    unit_refuses(RW_PIPE_LOGFMT, "a=\"open", "character 3: a quote is not closed");
    unit_refuses(RW_PIPE_LOGFMT, "a=\"open\\\"", "character 3: a quote is not closed");
    unit_refuses(RW_PIPE_LOGFMT, "=1", "character 1: a name was expected");
    unit_refuses(RW_PIPE_LOGFMT, "a=\"x\"y", "character 6: a blank was expected behind the quote");
    unit_refuses(RW_PIPE_LOGFMT, "a\"b=1", "character 2: a quote in a name");
    unit_refuses(RW_PIPE_LOGFMT, "only a sentence", "no name=value in the line");
    unit_refuses(RW_PIPE_LOGFMT, "", "no name=value in the line");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pairs), cmocka_unit_test(test_escapes),
                                       cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
