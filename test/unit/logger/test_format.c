/* The formatters: golden lines. Every line is also made with too little room (line_of). */
#include <errno.h>
#include "entries.h"

static const struct rollway_site_field order_fields[] = {{"user", ROLLWAY_T_INT_},
                                                         {"total", ROLLWAY_T_DOUBLE_},
                                                         {"ip", ROLLWAY_T_CSTR_},
                                                         {"what", ROLLWAY_T_TEXT_}};
static struct rollway_site order = {.message = "order accepted",
                                    .file = "src/x.c",
                                    .function = "accept",
                                    .fields = order_fields,
                                    .line = 12,
                                    .level = ROLLWAY_INFO,
                                    .n_fields = 4};
static const struct rollway_site_field all_fields[] = {
    {"i", ROLLWAY_T_INT_},       {"u", ROLLWAY_T_UINT_}, {"d", ROLLWAY_T_DOUBLE_},
    {"b", ROLLWAY_T_BOOL_},      {"c", ROLLWAY_T_CHAR_}, {"p", ROLLWAY_T_POINTER_},
    {"error", ROLLWAY_T_ERRNO_}, {"s", ROLLWAY_T_CSTR_}, {"null", ROLLWAY_T_CSTR_},
    {"bytes", ROLLWAY_T_BYTES_}};
static struct rollway_site all = {.message = "a \"quoted\"\nthing",
                                  .file = "src/a b.c",
                                  .function = "f",
                                  .fields = all_fields,
                                  .line = 7,
                                  .level = ROLLWAY_ERROR,
                                  .n_fields = 10};
static const struct rollway_site_field taken_fields[] = {
    {"time", ROLLWAY_T_INT_}, {"level", ROLLWAY_T_INT_}, {"message", ROLLWAY_T_INT_},
    {"msg", ROLLWAY_T_INT_},  {"a b", ROLLWAY_T_INT_},   {"q\"", ROLLWAY_T_INT_},
    {"", ROLLWAY_T_INT_}};
static struct rollway_site taken = {.message = "taken",
                                    .file = "x.c",
                                    .function = "f",
                                    .fields = taken_fields,
                                    .line = 1,
                                    .level = ROLLWAY_WARN,
                                    .n_fields = 7};
static struct rollway_site formatted = {
    .message = "%s has %d%%", .file = "x.c", .function = "f", .line = 1, .level = ROLLWAY_FATAL};

static void put_order(void)
{
    entries_put(&entries, &order,
                (uint64_t[]){INT(-5), DOUBLE(12.5), TEXT("10.0.0.1"), TEXT("two words")});
}

static void put_all(void)
{
    entries_put(&entries, &all,
                (uint64_t[]){INT(INT64_MIN), UINT64_MAX, DOUBLE(__builtin_nan("")), 1, '"', 0xbeef,
                             ENOENT, TEXT("a\tb\xff"), 0, TEXT("\x01\xfe")});
}

static const char *line(const char *format)
{
    struct rw_lg_format f;
    struct rw_err err;
    if (rw_lg_format_init(format, &f, &err))
        fail_msg("%s", err.text);
    return line_of(&f, &entries.view);
}

static void logfmt(void **state)
{
    (void)state;
    put_order();
    assert_string_equal(
        line("logfmt"),
        "time=2026-11-22T15:40:01.123456Z level=info msg=\"order accepted\" user=-5 "
        "total=12.5 ip=10.0.0.1 what=\"two words\"\n");
    put_all();
    assert_string_equal(
        line("logfmt"),
        "time=2026-11-22T15:40:01.123456Z level=error msg=\"a \\\"quoted\\\"\\nthing\" "
        "i=-9223372036854775808 u=18446744073709551615 d=nan b=true c=\"\\\"\" p=0xbeef "
        "error=\"No such file or directory\" errno=2 s=\"a\\tb\xef\xbf\xbd\" null=null "
        "bytes=01fe\n");
    entries_put(&entries, &taken, (uint64_t[]){1, 2, 3, 4, 5, 6, 7});
    assert_string_equal(line("logfmt"),
                        "time=2026-11-22T15:40:01.123456Z level=warn msg=taken time_=1 "
                        "level_=2 message=3 msg_=4 a_b=5 q_=6 _=7\n");
    entries_put(&entries, &formatted, (uint64_t[]){TEXT("it"), INT(5)});
    assert_string_equal(line("logfmt"),
                        "time=2026-11-22T15:40:01.123456Z level=fatal msg=\"it has 5%\"\n");
}

static void json(void **state)
{
    (void)state;
    put_order();
    assert_string_equal(
        line("json"),
        "{\"time\":\"2026-11-22T15:40:01.123456Z\",\"level\":\"info\",\"message\":\"order "
        "accepted\",\"user\":-5,\"total\":12.5,\"ip\":\"10.0.0.1\",\"what\":\"two words\"}\n");
    put_all();
    assert_string_equal(
        line("json"),
        "{\"time\":\"2026-11-22T15:40:01.123456Z\",\"level\":\"error\",\"message\":\"a "
        "\\\"quoted\\\"\\nthing\",\"i\":-9223372036854775808,\"u\":18446744073709551615,\"d\":null,"
        "\"b\":true,"
        "\"c\":\"\\\"\",\"p\":\"0xbeef\",\"error\":\"No such file or "
        "directory\",\"errno\":2,\"s\":\"a\\tb"
        "\xef\xbf\xbd\",\"null\":null,\"bytes\":\"01fe\"}\n");
    entries_put(&entries, &taken, (uint64_t[]){1, 2, 3, 4, 5, 6, 7});
    assert_string_equal(
        line("json"),
        "{\"time\":\"2026-11-22T15:40:01.123456Z\",\"level\":\"warn\",\"message\":\"taken\","
        "\"time_\":1,\"level_\":2,\"message_\":3,\"msg\":4,\"a b\":5,\"q\\\"\":6,\"\":7}\n");
    entries_put(&entries, &formatted, (uint64_t[]){TEXT("\"it\""), INT(5)});
    assert_string_equal(line("json"),
                        "{\"time\":\"2026-11-22T15:40:01.123456Z\",\"level\":\"fatal\","
                        "\"message\":\"\\\"it\\\" has 5%\"}\n");
}

/* Logger, context, flags, thread and place. */
static void extras(void **state)
{
    (void)state;
    struct rw_lg_format f;
    char *names = (char *)entries.map.mem.p + rw_lg_header(&entries.map)->loggers_at;
    strcpy(names + 3 * RW_LG_NAME, "net.http");
    entries.logger = 3;
    entries.flags = RW_LG_SUPPRESSED | RW_LG_TRUNCATED;
    entries.extra = 41;
    assert_int_equal(rw_lg_context_set(&entries.context, "request", "r 1"), RW_OK);
    assert_int_equal(rw_lg_context_set(&entries.context, "time", "t"), RW_OK);
    put_order();
    assert_int_equal(rw_lg_format_init("logfmt", &f, NULL), RW_OK);
    f.thread = f.site = true;
    assert_string_equal(
        line_of(&f, &entries.view),
        "time=2026-11-22T15:40:01.123456Z level=info logger=net.http msg=\"order accepted\" "
        "request=\"r 1\" time_=t user=-5 total=12.5 ip=10.0.0.1 what=\"two words\" "
        "suppressed=41 truncated=true thread=77 file=src/x.c:12 func=accept\n");
    assert_int_equal(rw_lg_format_init("json", &f, NULL), RW_OK);
    f.thread = f.site = true;
    assert_string_equal(
        line_of(&f, &entries.view),
        "{\"time\":\"2026-11-22T15:40:01.123456Z\",\"level\":\"info\",\"logger\":\"net.http\","
        "\"message\":\"order accepted\",\"request\":\"r 1\",\"time_\":\"t\",\"user\":-5,"
        "\"total\":12.5,\"ip\":\"10.0.0.1\",\"what\":\"two words\",\"suppressed\":41,"
        "\"truncated\":true,\"thread\":77,\"file\":\"src/x.c\",\"line\":12,\"func\":"
        "\"accept\"}\n");
    assert_int_equal(rw_lg_format_init("logfmt", &f, NULL), RW_OK);
    f.colour = true;
    assert_non_null(strstr(line_of(&f, &entries.view), " level=\x1b[32minfo\x1b[0m logger="));
    entries.flags = RW_LG_SAMPLED;
    put_order();
    assert_non_null(strstr(line("json"), ",\"sample\":41}"));
    entries.flags = 0;
    entries.logger = 0;
    rw_lg_context_clear(&entries.context);
}

/* Without what call sites prepare (a record that never was an entry) the line is the same. */
static void not_prepared(void **state)
{
    (void)state;
    char before[2048];
    for (int i = 0; i < 2; i++) {
        i ? put_all() : entries_put(&entries, &taken, (uint64_t[]){1, 2, 3, 4, 5, 6, 7});
        static const char *const kinds[] = {"logfmt", "json"};
        for (unsigned k = 0; k < 2; k++) {
            strcpy(before, line(kinds[k]));
            struct rw_lg_view v = entries.view;
            entries.view.known = NULL;
            for (unsigned n = 0; n < v.n_fields; n++)
                entries.view.fields[n].ready = NULL;
            assert_string_equal(line(kinds[k]), before);
            entries.view = v;
        }
    }
}

static void pattern(void **state)
{
    (void)state;
    static const struct {
        const char *format, *want;
    } cases[] = {
        {"%d %p [%t] %c - %m%k%n", "2026-11-22T15:40:01.123456Z info [77] net.http - order "
                                   "accepted user=-5 total=12.5 ip=10.0.0.1 "
                                   "what=\"two words\"\n"},
        {"%d{%Y/%m/%d %H:%M:%S.%L} %-6P|%6p|%m",
         "2026/11/22 15:40:01.123 INFO  |  info|order accepted\n"},
        {"%X{ip}/%X{none}/%-6X{user}/%F:%L %M 100%%", "10.0.0.1//-5    /src/x.c:12 accept 100%\n"},
        {"%.5m|%20.5m|%-8.5m|%8.3c", "order|               order|order   |     net\n"},
        {"%m%n%n", "order accepted\n\n"},
    };
    entries.logger = 3;
    put_order();
    entries.logger = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rw_lg_format f;
        char got[512];
        assert_int_equal(rw_lg_format_init(cases[i].format, &f, NULL), RW_OK);
        struct rw_lg_out o = {got, sizeof(got) - 1, 0};
        rw_lg_format_line(&f, &o, &entries.view);
        got[o.n] = 0;
        assert_string_equal(got, cases[i].want);
        /* With less room it asks for enough: a cut part may count for more than it takes. */
        for (size_t cap = 0; cap < o.n; cap++) {
            char *small = malloc(cap + 1);
            assert_non_null(small);
            struct rw_lg_out again = {small, cap, 0};
            rw_lg_format_line(&f, &again, &entries.view);
            assert_true(again.n >= o.n);
            free(small);
        }
    }
    put_all();
    assert_string_equal(line("%X{c}%X{s}%X{null}%X{bytes} %m"),
                        "\"a\tb\xef\xbf\xbdnull01fe a \"quoted\"\\nthing\n");
    struct rw_lg_format f;
    assert_int_equal(rw_lg_format_init("%-7p.", &f, NULL), RW_OK);
    f.colour = true;
    char got[64] = "";
    struct rw_lg_out o = {got, sizeof(got), 0};
    rw_lg_format_line(&f, &o, &entries.view);
    assert_string_equal(got, "\x1b[31merror  \x1b[0m.\n");
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *format, *words;
    } cases[] = {{"jsn", "neither"},
                 {"%q", "\"%q\" is not"},
                 {"%", "\"%\" is not"},
                 {"%d{%Y", "no '}'"},
                 {"%X", "%X{key}"},
                 {"%X{}", "%X{key}"},
                 {"%d{%Q}", "form of"},
                 {"%-5", "\"%-5\" is"},
                 {"%m%m%m%m%m%m%m%m%m%m%m%m%m%m%m%m%m%m%m%m%m%m%m%m"
                  "%m%m%m%m%m%m%m%m%m",
                  "parts"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rw_lg_format f;
        struct rw_err err;
        assert_int_equal(rw_lg_format_init(cases[i].format, &f, &err), RW_E_INVAL);
        if (!strstr(err.text, cases[i].words))
            fail_msg("%s: %s", cases[i].format, err.text);
    }
    char longer[400];
    struct rw_lg_format f;
    memset(longer, 'x', sizeof(longer));
    memcpy(longer, "%m", 2);
    longer[256] = 0;
    assert_int_equal(rw_lg_format_init(longer, &f, NULL), RW_E_INVAL);
    longer[255] = 0;
    assert_int_equal(rw_lg_format_init(longer, &f, NULL), RW_OK);
}

static size_t own(void *arg, const struct rollway_event *event, char *out, size_t size)
{
    char message[8], value[32];
    const char *key;
    assert_ptr_equal(arg, &entries);
    assert_int_equal(rollway_event_time_ns(event), TIME_NS);
    assert_int_equal(rollway_event_level(event), ROLLWAY_INFO);
    assert_string_equal(rollway_event_logger(event), "");
    assert_string_equal(rollway_event_file(event), "src/x.c");
    assert_int_equal(rollway_event_line(event), 12);
    assert_int_equal(rollway_event_thread(event), 77);
    assert_int_equal(rollway_event_message(event, message, sizeof(message)), 14);
    assert_int_equal(rollway_event_message(event, NULL, 0), 14);
    assert_int_equal(rollway_event_field(event, 1, &key, value, sizeof(value)), 4);
    assert_string_equal(key, "total");
    size_t n = (size_t)snprintf(out, size, "%s %s", message, value);
    assert_int_equal(rollway_event_field(event, 4, &key, value, sizeof(value)), 0);
    assert_null(key);
    return n;
}

static void custom(void **state)
{
    (void)state;
    char text[64] = "";
    struct rw_lg_format f = {.kind = RW_LG_CUSTOM, .custom = own, .custom_arg = &entries};
    struct rw_lg_out o = {text, sizeof(text), 0};
    put_order();
    rw_lg_format_line(&f, &o, &entries.view);
    assert_int_equal(o.n, 12);
    assert_string_equal(text, "order a 12.5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logfmt),       cmocka_unit_test(json),    cmocka_unit_test(extras),
        cmocka_unit_test(not_prepared), cmocka_unit_test(pattern), cmocka_unit_test(refused),
        cmocka_unit_test(custom),
    };
    return cmocka_run_group_tests(tests, entries_setup, entries_teardown);
}
