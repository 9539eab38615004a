/* argv to command, options, operands; every kind of mistake has its sentence. */
#include "test_support.h"
#include "base/mem.h"
#include "cli/parse.h"

static const struct rw_option create_options[] = {
    {"partitions", 'p', RW_OPT_INT, "N", "partitions", NULL},
    {"config", 'c', RW_OPT_LIST, "K=V", "configuration", NULL},
    {"dry", 0, RW_OPT_FLAG, NULL, "check only", NULL},
    {"wait", 'w', RW_OPT_DURATION, "TIME", "wait", NULL},
    {"size", 0, RW_OPT_BYTES, "SIZE", "size", NULL},
    {"loud", 'l', RW_OPT_COUNT, NULL, "louder", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

static const struct rw_command create = {.name = "topic create",
                                         .aliases = "topics new, mk",
                                         .operands = "TOPIC...",
                                         .operands_min = 1,
                                         .operands_max = -1,
                                         .options = create_options};
static const struct rw_command list = {.name = "topic list", .operands_max = 1};
static const struct rw_command cut = {.name = "cut", .options = create_options, .cut = true};
static const struct rw_command verify = {.name = "verify", .local = true};
static const struct rw_command config_get = {.name = "cluster config get", .operands_max = -1};
static const struct rw_command raw = {.name = "__raw", .operands_max = -1, .raw = true};
static const struct rw_command copy = {
    .name = "copy", .operands = "FROM TO...", .operands_min = 2, .operands_max = -1};
static const struct rw_command *const table[] = {&create,     &list, &verify, &copy,
                                                 &config_get, &raw,  &cut,    NULL};

static struct rw_parsed parsed;

static void parse(const char **argv, int argc)
{
    /* main() gets char **; nothing writes through it. */
    assert_int_equal(rw_parse(table, argc, (char **)(uintptr_t)argv, &parsed), RW_OK);
}

#define PARSE(...)                                                                                 \
    do {                                                                                           \
        const char *argv_[] = {"rollway", __VA_ARGS__};                                            \
        parse(argv_, (int)RW_COUNT(argv_));                                                        \
    } while (0)

static int teardown(void **state)
{
    (void)state;
    rw_parsed_deinit(&parsed);
    return 0;
}

static void wrong(const char *error, const char *hint)
{
    assert_int_equal(parsed.outcome, RW_PARSE_WRONG);
    assert_string_equal(parsed.error, error);
    assert_string_equal(parsed.hint, hint);
    rw_parsed_deinit(&parsed);
}

static void options_and_operands_mix(void **state)
{
    (void)state;
    PARSE("topic", "create", "a", "-p3", "--config", "x=1", "b", "-c", "y=2", "--wait=1h30m", "--",
          "-c");
    assert_int_equal(parsed.outcome, RW_PARSE_RUN);
    assert_ptr_equal(parsed.command, &create);
    assert_int_equal(parsed.n_operands, 3);
    assert_string_equal(parsed.operands[0], "a");
    assert_string_equal(parsed.operands[1], "b");
    assert_string_equal(parsed.operands[2], "-c");
    assert_int_equal(parsed.n_values, 4);
    assert_int_equal(parsed.values[0].number, 3);
    assert_string_equal(parsed.values[1].text, "x=1");
    assert_string_equal(parsed.values[2].text, "y=2");
    assert_int_equal(parsed.values[3].number, 5400000);
}

static void letters_cluster(void **state)
{
    (void)state;
    PARSE("topic", "create", "-qllvp", "12", "a", "-");
    assert_int_equal(parsed.outcome, RW_PARSE_RUN);
    assert_int_equal(parsed.n_values, 5);
    assert_int_equal(parsed.values[4].number, 12);
    assert_string_equal(parsed.operands[1], "-");
}

static void negative_values(void **state)
{
    (void)state;
    PARSE("topic", "create", "-p", "-1", "a");
    assert_int_equal(parsed.values[0].number, -1);
}

static void global_options_before_and_between(void **state)
{
    (void)state;
    PARSE("--json", "topic", "-b", "h:1", "list");
    assert_ptr_equal(parsed.command, &list);
    assert_int_equal(parsed.n_values, 2);
    assert_string_equal(parsed.values[1].text, "h:1");
}

static void aliases_and_three_words(void **state)
{
    (void)state;
    PARSE("topics", "new", "t");
    assert_ptr_equal(parsed.command, &create);
    rw_parsed_deinit(&parsed);
    PARSE("mk", "topic");
    assert_ptr_equal(parsed.command, &create);
    assert_string_equal(parsed.operands[0], "topic");
    rw_parsed_deinit(&parsed);
    PARSE("cluster", "config", "get", "get");
    assert_ptr_equal(parsed.command, &config_get);
    assert_int_equal(parsed.n_operands, 1);
}

static void help_and_version(void **state)
{
    (void)state;
    const char *none[] = {"rollway"};
    parse(none, 1);
    assert_int_equal(parsed.outcome, RW_PARSE_OVERVIEW);
    rw_parsed_deinit(&parsed);
    PARSE("topic");
    assert_int_equal(parsed.outcome, RW_PARSE_GROUP);
    assert_string_equal(parsed.group, "topic");
    rw_parsed_deinit(&parsed);
    PARSE("cluster", "config", "-h");
    assert_int_equal(parsed.outcome, RW_PARSE_HELP);
    assert_string_equal(parsed.group, "cluster config");
    rw_parsed_deinit(&parsed);
    PARSE("topic", "create", "--help");
    assert_int_equal(parsed.outcome, RW_PARSE_HELP_LONG);
    rw_parsed_deinit(&parsed);
    PARSE("--version");
    assert_int_equal(parsed.outcome, RW_PARSE_VERSION);
}

static void raw_commands_take_everything(void **state)
{
    (void)state;
    PARSE("__raw", "topic", "--json", "--", "-x");
    assert_int_equal(parsed.outcome, RW_PARSE_RUN);
    assert_int_equal(parsed.n_operands, 4);
}

static void options_may_be_cut_where_a_command_says_so(void **state)
{
    (void)state;
    PARSE("cut", "--part", "3", "--si=1k");
    assert_int_equal(parsed.outcome, RW_PARSE_RUN);
    assert_int_equal(parsed.n_values, 2);
    assert_string_equal(parsed.values[0].option->name, "partitions");
    assert_string_equal(parsed.values[1].option->name, "size");
    rw_parsed_deinit(&parsed);
    PARSE("cut", "--", "--part");
    assert_int_equal(parsed.n_values, 0);
    rw_parsed_deinit(&parsed);
    PARSE("cut", "--=x"); /* they all begin with nothing */
    assert_int_equal(parsed.outcome, RW_PARSE_WRONG);
    rw_parsed_deinit(&parsed);
    PARSE("topic", "create", "t", "--part", "3");
    assert_int_equal(parsed.outcome, RW_PARSE_WRONG);
}

static void mistakes(void **state)
{
    (void)state;
    PARSE("topik");
    wrong("unknown command \"topik\"", "did you mean rollway topic?");
    PARSE("topic", "lsit");
    wrong("unknown command \"topic lsit\"", "did you mean rollway topic list?");
    PARSE("topic", "fly");
    wrong("unknown command \"topic fly\"", "rollway topic -h lists what there is");
    PARSE("topic", "create", "--partition", "3", "a");
    wrong("unknown option --partition", "did you mean --partitions?");
    PARSE("topic", "create", "-p", "x", "a");
    wrong("--partitions wants a whole number, not \"x\"", "rollway topic create -h shows how");
    PARSE("topic", "create", "-p");
    wrong("-p needs a value: N", "rollway topic create -h shows how");
    PARSE("topic", "create", "--dry=1", "a");
    wrong("--dry takes no value", "rollway topic create -h shows how");
    PARSE("topic", "create", "-w", "1y", "a");
    wrong("--wait wants a time span, not \"1y\"", "for example 500ms, 30s, 5m, 12h, 7d");
    PARSE("topic", "create", "--size", "1q", "a");
    wrong("--size wants a size, not \"1q\"", "for example 512, 64KiB, 1GiB");
    PARSE("topic", "create");
    wrong("TOPIC is missing", "rollway topic create -h shows how");
    PARSE("copy", "a");
    wrong("TO is missing", "rollway copy -h shows how");
    PARSE("topic", "list", "a", "b");
    wrong("one operand too many: \"b\"", "rollway topic list -h shows how");
    PARSE("verify", "a");
    wrong("unexpected operand \"a\"", "rollway verify -h shows how");
    PARSE("verify", "--brokers", "a");
    wrong("unknown option --brokers", "rollway verify -h shows how");
    PARSE("topic", "list", "--json", "--plain");
    wrong("--json and --plain exclude each other", "rollway topic list -h shows how");
}

static void no_memory(void **state)
{
    (void)state;
    const char *argv[] = {"rollway", "verify"};
    for (uint64_t n = 1; n <= 2; n++) {
        rw_mem_fail_at(n, 0);
        assert_int_equal(rw_parse(table, 2, (char **)(uintptr_t)argv, &parsed), RW_E_NOMEM);
    }
    rw_mem_fail_at(0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(options_and_operands_mix, teardown),
        cmocka_unit_test_teardown(letters_cluster, teardown),
        cmocka_unit_test_teardown(negative_values, teardown),
        cmocka_unit_test_teardown(global_options_before_and_between, teardown),
        cmocka_unit_test_teardown(aliases_and_three_words, teardown),
        cmocka_unit_test_teardown(help_and_version, teardown),
        cmocka_unit_test_teardown(raw_commands_take_everything, teardown),
        cmocka_unit_test_teardown(options_may_be_cut_where_a_command_says_so, teardown),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
