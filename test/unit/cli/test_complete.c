/* What may come next. */
#include "test_support.h"
#include "cli/complete.h"
#include "cli/parse.h"

static const struct rw_option options[] = {
    {"topic", 't', RW_OPT_STRING, "TOPIC", "topic", "topic"},
    {"codec", 'z', RW_OPT_STRING, "CODEC", "codec", "none|gzip|zstd"},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};
static const struct rw_command create = {
    .name = "topic create", .summary = "make", .options = options};
static const struct rw_command list = {
    .name = "topic list", .summary = "show", .operands_complete = "topic"};
static const struct rw_command dump = {
    .name = "dump", .summary = "dump", .operands_complete = "file", .local = true};
static const struct rw_command help = {.name = "help", .summary = "explain"};
static const struct rw_command hidden = {.name = "__hidden"};
static const struct rw_command *const table[] = {&create, &list, &dump, &help, &hidden, NULL};

static void check(int n, const char *const *words, const char *expected, const char *want)
{
    struct rw_buf out;
    const char *ret_want;
    char prefix[64];
    rw_buf_init(&out);
    rw_complete(&out, table, n, words, &ret_want, prefix);
    assert_string_equal(rw_buf_cstr(&out), expected);
    if (want)
        assert_string_equal(ret_want, want);
    else
        assert_null(ret_want);
    rw_buf_deinit(&out);
}

#define CHECK(expected, want, ...)                                                                 \
    do {                                                                                           \
        static const char *const words_[] = {__VA_ARGS__};                                         \
        check((int)RW_COUNT(words_), words_, expected, want);                                      \
    } while (0)

static void commands(void **state)
{
    (void)state;
    check(0, NULL, "topic\ndump\tdump\nhelp\texplain\n", NULL);
    CHECK("topic\n", NULL, "to");
    CHECK("create\tmake\nlist\tshow\n", NULL, "topic", "");
    CHECK("list\tshow\n", NULL, "--json", "topic", "l");
    CHECK("list\tshow\n", NULL, "-b", "host:1", "topic", "l");
    CHECK("create\tmake\n", NULL, "help", "topic", "cr");
    CHECK("", NULL, "nothing", "");
}

static void values(void **state)
{
    (void)state;
    CHECK("gzip\n", NULL, "topic", "create", "-z", "g");
    CHECK("--codec=zstd\n", NULL, "topic", "create", "--codec=z");
    CHECK("", "topic", "topic", "create", "--topic", "");
    CHECK("", "topic", "topic", "list", "");
    CHECK("", "file", "dump", "");
    CHECK("--codec\tcodec\n--color\tcolour the output: auto, always, never (default auto)\n"
          "--connect-timeout\tgive up connecting after this time (default 5s)\n",
          NULL, "topic", "create", "--co");
    CHECK("", NULL, "dump", "--b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(commands), cmocka_unit_test(values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
