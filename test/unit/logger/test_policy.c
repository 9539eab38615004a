/* What the settings say about records that are too many, destinations that fail, and what people are told: seen in a program's output. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rollway/logger.h"

enum { MANY = 40000, WAIT_MS = 20000 };

static char dir[64];

static void make_dir(void)
{
    snprintf(dir, sizeof(dir), "/tmp/rw_policy_XXXXXX");
    assert_non_null(mkdtemp(dir));
}

static void remove_dir(void)
{
    char command[96];
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

static void nap(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l}, NULL);
}

/* A %s in it is the directory. */
static void write_settings(const char *text)
{
    char path[96];
    snprintf(path, sizeof(path), "%s/logger.conf", dir);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    fprintf(f, "rings.dir = %s\n", dir);
    for (const char *p = text; *p; p++)
        if (*p == '@')
            fputs(dir, f);
        else
            fputc(*p, f);
    assert_int_equal(fclose(f), 0);
}

static void start(const char *settings)
{
    char path[96];
    write_settings(settings);
    snprintf(path, sizeof(path), "%s/logger.conf", dir);
    struct rollway_logger_options o = {.size = sizeof(o), .name = "policy", .file = path};
    if (rollway_logger_start(&o) != 0)
        fail_msg("start: %s", rollway_logger_error());
}

static void stop(void)
{
    assert_int_equal(rollway_logger_close(WAIT_MS), 0);
}

/* In lines of the file, each read by itself: sanitizers go over the whole text at each search in it. */
static size_t count(const char *name, const char *what)
{
    char path[128], *line = NULL;
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "re");
    size_t n = 0, cap = 0;
    while (f && getline(&line, &cap, f) >= 0)
        for (const char *p = line; (p = strstr(p, what)); p += strlen(what))
            n++;
    free(line);
    if (f)
        fclose(f);
    return n;
}

static struct rollway_logger_appender_stats stats_of(const char *name)
{
    struct rollway_logger_appender_stats s = {.size = sizeof(s)};
    for (unsigned i = 0; rollway_logger_get_appender_stats(i, &s) == 0; i++)
        if (strcmp(s.name, name) == 0)
            return s;
    fail_msg("no appender %s", name);
    return s;
}

static uint64_t dropped(const struct rollway_logger_appender_stats *s)
{
    uint64_t n = 0;
    for (int i = 0; i < ROLLWAY_LEVELS; i++)
        n += s->dropped[i];
    return n;
}

/* Accepted = written + failed + dropped, of each appender, once nothing waits. What the logger itself has to say may come in between. */
static bool each_adds_up(char *ret_sums, size_t n)
{
    struct rollway_logger_stats all = {.size = sizeof(all)};
    struct rollway_logger_appender_stats s = {.size = sizeof(s)};
    bool right = true;
    assert_int_equal(rollway_logger_flush(WAIT_MS), 0);
    rollway_logger_get_stats(&all);
    snprintf(ret_sums, n, "accepted %llu", (unsigned long long)all.accepted);
    for (unsigned i = 0; rollway_logger_get_appender_stats(i, &s) == 0; i++) {
        right &= s.waiting == 0 && s.written + s.failed + dropped(&s) == all.accepted;
        size_t at = strlen(ret_sums);
        snprintf(ret_sums + at, n - at,
                 ", %s: waiting %llu, written %llu, failed %llu, dropped %llu", s.name,
                 (unsigned long long)s.waiting, (unsigned long long)s.written,
                 (unsigned long long)s.failed, (unsigned long long)dropped(&s));
    }
    return right;
}

static void adds_up(void)
{
    char sums[512];
    for (int i = 0; i < 50; i++, nap(20))
        if (each_adds_up(sums, sizeof(sums)))
            return;
    fail_msg("%s", sums);
}

/* ---- a destination that is away while more is logged than the journal holds ---- */

static void heal(void)
{
    char path[96];
    snprintf(path, sizeof(path), "%s/sub", dir);
    (void)remove(path); /* the file appender makes the directory again */
}

/* There is a file where the directory of `bad` was. */
static void start_bad(const char *overflow)
{
    char settings[1024], path[192];
    make_dir();
    snprintf(settings, sizeof(settings),
             "overflow = block\njournal.bytes = 1MiB\n"
             "appender.good.type = file\nappender.good.path = @/good.log\n"
             "appender.good.overflow = block\n"
             "appender.bad.type = file\nappender.bad.path = @/sub/bad.log\n"
             "appender.bad.flush.interval = 1ms\nappender.bad.breaker.failures = 3\n"
             "appender.bad.breaker.pause = 200ms\n%s",
             overflow);
    start(settings);
    snprintf(path, sizeof(path), "rm -rf %s/sub; echo > %s/sub", dir, dir);
    assert_int_equal(system(path), 0);
    rollway_logger_reopen(); /* it finds out itself, within a second */
}

static void flood(int n)
{
    for (int i = 0; i < n; i++)
        rollway_info("flood", "i", i, "text", "so that it takes some room");
}

/* All the while `good` gets everything. *ret_bad: what it says after the destination is back. */
static void flood_bad(const char *overflow, struct rollway_logger_appender_stats *ret_bad)
{
    start_bad(overflow);
    flood(MANY);
    struct rollway_logger_appender_stats s = stats_of("bad");
    for (int i = 0; i < 500 && s.errors < 3; i++) {
        nap(10);
        s = stats_of("bad");
    }
    assert_true(s.errors >= 3);
    assert_int_not_equal(s.breaker, ROLLWAY_BREAKER_CLOSED);
    assert_int_not_equal(s.last_error, 0);
    assert_true(s.last_error_text[0] && s.last_error_ns > 0);
    assert_true(s.waiting > 0 && s.waiting_bytes > 0);
    heal();
    adds_up();
    *ret_bad = stats_of("bad");
    assert_int_equal(ret_bad->breaker, ROLLWAY_BREAKER_CLOSED);
    assert_true(ret_bad->dropped[ROLLWAY_INFO] > 0);
    stop();
    assert_int_equal(count("good.log", "msg=flood"), MANY);
    assert_int_equal(count("good.log", "msg=\"an appender's breaker is open\""), 1);
    assert_true(count("sub/bad.log", "msg=flood") >= MANY - ret_bad->dropped[ROLLWAY_INFO]);
}

static void the_oldest_go_first(void **state)
{
    (void)state;
    struct rollway_logger_appender_stats s;
    flood_bad("", &s);
    assert_int_equal(count("sub/bad.log", " i=39999 "), 1);
    remove_dir();
}

static void the_first_ones_stay(void **state)
{
    (void)state;
    struct rollway_logger_appender_stats s;
    flood_bad("appender.bad.overflow = drop\n", &s);
    for (int i = 0; i < 1000; i++) {
        char what[32];
        snprintf(what, sizeof(what), " i=%d ", i);
        if (count("sub/bad.log", what) != 1)
            fail_msg("%d is not there once", i);
        i += 499;
    }
    remove_dir();
}

static void an_open_breaker_holds_nobody_up(void **state)
{
    (void)state;
    struct rollway_logger_appender_stats s;
    flood_bad("appender.bad.overflow = breaker\n", &s);
    remove_dir();
}

static void waiting_has_an_end(void **state)
{
    (void)state;
    struct rollway_logger_appender_stats s;
    flood_bad("appender.bad.overflow = block 100ms\n", &s);
    remove_dir();
}

static void *heal_later(void *unused)
{
    nap(700);
    heal();
    return unused;
}

static void blocked_until_it_writes_again(void **state)
{
    (void)state;
    pthread_t thread;
    start_bad("appender.bad.overflow = block\n");
    assert_int_equal(pthread_create(&thread, NULL, heal_later, NULL), 0);
    flood(MANY);
    pthread_join(thread, NULL);
    adds_up();
    struct rollway_logger_appender_stats s = stats_of("bad");
    assert_int_equal(dropped(&s), 0);
    stop();
    assert_int_equal(count("good.log", "msg=flood"), MANY);
    assert_int_equal(count("sub/bad.log", "msg=flood"), MANY);
    remove_dir();
}

/* Errors are kept, the rest makes way for them. */
static void levels_have_policies_of_their_own(void **state)
{
    (void)state;
    start_bad("appender.bad.overflow.error = drop\n");
    for (int i = 0; i < MANY; i++) {
        rollway_info("flood", "i", i, "text", "so that it takes some room");
        if (i % 100 == 0)
            rollway_error("rare", "i", i);
    }
    heal();
    adds_up();
    struct rollway_logger_appender_stats s = stats_of("bad");
    assert_int_equal(s.dropped[ROLLWAY_ERROR], 0);
    assert_true(s.dropped[ROLLWAY_INFO] > 0);
    stop();
    assert_int_equal(count("sub/bad.log", "msg=rare"), MANY / 100);
    remove_dir();
}

static int refuse(void *arg, const struct rollway_event *event)
{
    (void)event;
    return ++*(int *)arg % 4 == 0;
}

static void what_fails_is_counted(void **state)
{
    (void)state;
    int calls = 0;
    make_dir();
    assert_int_equal(rollway_logger_add_callback("refuse", refuse, &calls), 0);
    start("appender.c.type = callback\nappender.c.callback = refuse\n");
    for (int i = 0; i < 400; i++)
        rollway_info("x", "i", i);
    adds_up();
    struct rollway_logger_appender_stats s = stats_of("c");
    assert_int_equal(s.failed, 100);
    assert_int_equal(s.written, 300);
    assert_string_equal(s.type, "callback");
    stop();
    remove_dir();
}

/* ---- settings are read again at a signal ---- */

static _Atomic int heard;

static void hear(int number)
{
    (void)number;
    heard++;
}

static void wait_for(const char *name, const char *what)
{
    for (int i = 0; i < 500 && !count(name, what); i++)
        nap(10);
    assert_int_equal(count(name, what), 1);
}

static void read_again_at_a_signal(void **state)
{
    (void)state;
    make_dir();
    struct sigaction old = {.sa_handler = hear}, now;
    assert_int_equal(sigaction(SIGHUP, &old, NULL), 0);
#define FILE_(name)                                                                                \
    "appender.f.type = file\nappender.f.path = @/" name "\nappender.f.flush.interval = 1ms\n"
    start("reload = SIGHUP\nlevel = info\n" FILE_("one.log"));
    rollway_debug("low", "n", 1);
    rollway_info("high", "n", 1);
    write_settings("reload = SIGHUP\nlevel = debug\n" FILE_("two.log"));
    assert_int_equal(kill(getpid(), SIGHUP), 0);
    wait_for("two.log", "msg=\"the settings were read again\"");
    rollway_debug("low", "n", 2);
    write_settings("level = loud\n");
    assert_int_equal(kill(getpid(), SIGHUP), 0);
    wait_for("two.log", "msg=\"the settings stay as they were\"");
    rollway_debug("low", "n", 3);
    adds_up(); /* over both files */
    stop();
    assert_int_equal(heard, 2);
    assert_int_equal(sigaction(SIGHUP, NULL, &now), 0);
    assert_true(now.sa_handler == hear);
    assert_int_equal(count("one.log", "msg=high n=1"), 1);
    assert_int_equal(count("one.log", "msg=low"), 0);
    assert_int_equal(count("two.log", "msg=low n=2"), 1);
    assert_int_equal(count("two.log", "msg=low n=3"), 1);
    assert_int_equal(count("two.log", "line 2: level: must be trace"), 1);
    remove_dir();
}

static _Atomic bool enough;

static void *keep_logging(void *arg)
{
    int *n = arg;
    while (!enough)
        rollway_info("steady", "i", (*n)++);
    return NULL;
}

/* While a thread logs as fast as it can. */
static void nothing_is_lost_when_read_again(void **state)
{
    (void)state;
    make_dir();
    pthread_t thread;
    int n = 0;
    enough = false;
    start("overflow = block\n" FILE_("same.log") "appender.f.overflow = block\n");
    assert_int_equal(rollway_logger_reload_on(SIGHUP), 0);
    assert_int_equal(pthread_create(&thread, NULL, keep_logging, &n), 0);
    for (int i = 0; i < 4; i++) {
        nap(20);
        assert_int_equal(kill(getpid(), SIGHUP), 0);
    }
    nap(50);
    enough = true;
    pthread_join(thread, NULL);
    adds_up();
    stop();
    assert_int_equal(rollway_logger_reload_on(0), 0);
    assert_int_equal(count("same.log", "msg=steady"), n);
    char last[32];
    snprintf(last, sizeof(last), " i=%d\n", n - 1);
    assert_int_equal(count("same.log", last), 1);
    remove_dir();
}

static void not_every_signal_can_be_had(void **state)
{
    (void)state;
    assert_int_equal(rollway_logger_reload_on(SIGKILL), -2);
    assert_int_equal(rollway_logger_reload_on(-1), -2);
    assert_int_equal(rollway_logger_reload_on(0), 0);
}

/* ---- rates and samples ---- */

static void rates_and_samples(void **state)
{
    (void)state;
    make_dir();
    struct rollway_logger *noisy = rollway_logger_get("noisy"),
                          *below = rollway_logger_get("noisy.part"),
                          *sampled = rollway_logger_get("sampled");
    start("limit.noisy = 10/h burst 20\nsample.sampled = 1/100\n" FILE_("x.log"));
    struct rollway_logger_stats before = {.size = sizeof(before)}, after = before;
    rollway_logger_get_stats(&before);
    rollway_to(noisy, ROLLWAY_INFO, "first", "i", 0);
    rollway_to(sampled, ROLLWAY_INFO, "first", "i", 0);
    for (int i = 0; i < 1000; i++) {
        struct rollway_logger *logger = i % 2 ? noisy : below;
        rollway_to(logger, ROLLWAY_INFO, "budget", "i", i);
        rollway_to(sampled, ROLLWAY_INFO, "one of", "i", i);
        rollway_info("free", "i", i);
    }
    rollway_logger_get_stats(&after);
    adds_up();
    stop();
    /* The first run of a call site is never held back. */
    assert_in_range(count("x.log", "msg=budget"), 20, 21);
    assert_in_range(count("x.log", "msg=\"one of\""), 10, 11);
    assert_in_range(count("x.log", "sample=100"), 10, 11);
    assert_int_equal(count("x.log", "msg=free"), 1000);
    assert_in_range(after.suppressed - before.suppressed, 1968, 1970);
    remove_dir();
}

static void limits_of_files(void **state)
{
    (void)state;
    make_dir();
    start("limit.test_pol*.c = 5/h\nlimit.other.c = 1/h\n" FILE_("x.log"));
    for (int i = 0; i < 100; i++)
        rollway_info("here", "i", i);
    write_settings(FILE_("x.log"));
    assert_int_equal(rollway_logger_reload(), 0);
    for (int i = 0; i < 100; i++)
        rollway_info("free", "i", i);
    stop();
    assert_in_range(count("x.log", "msg=here"), 5, 6);
    assert_int_equal(count("x.log", "msg=free"), 100);
    remove_dir();
}

/* ---- metrics ---- */

static void metrics_in_a_file(void **state)
{
    (void)state;
    make_dir();
    start(
        "level.rollway = off\nmetrics.path = @/m.prom\nmetrics.interval = 100ms\n" FILE_("x.log"));
    for (int i = 0; i < 7; i++)
        rollway_warn("x", "i", i);
    assert_int_equal(rollway_logger_flush(WAIT_MS), 0);
    size_t n = rollway_logger_metrics(NULL, 0);
    char *text = malloc(n + 200);
    assert_non_null(text);
    n = rollway_logger_metrics(text, n + 200);
    assert_int_equal(n, strlen(text));
    assert_non_null(strstr(text, "# TYPE rollway_logger_accepted_total counter\n"));
    assert_non_null(strstr(text, "\nrollway_logger_accepted_total 7\n"));
    assert_non_null(strstr(text, "\nrollway_logger_appender_written_total{appender=\"f\"} 7\n"));
    assert_non_null(
        strstr(text, "\nrollway_logger_appender_dropped_total{appender=\"f\",level=\"info\"} 0\n"));
    char small[20];
    assert_true(rollway_logger_metrics(small, sizeof(small)) > sizeof(small));
    assert_int_equal(strlen(small), sizeof(small) - 1);
    free(text);
    wait_for("m.prom", "rollway_logger_appender_written_total{appender=\"f\"} 7\n");
    char path[96];
    snprintf(path, sizeof(path), "%s/m.prom.new", dir);
    stop();
    assert_int_not_equal(access(path, F_OK), 0);
    remove_dir();
}

/* ---- colour ---- */

/* What a child says on a terminal; "" when it logs there without colour. */
static void say(const char *settings, const char *variable, const char *value, char *ret_text,
                size_t size)
{
    int terminal;
    pid_t child = forkpty(&terminal, NULL, NULL, NULL);
    if (child == 0) {
        unsetenv("NO_COLOR");
        unsetenv("CLICOLOR_FORCE");
        setenv("TERM", "xterm", 1);
        setenv(variable, value, 1);
        start(settings);
        rollway_warn("look");
        _exit(rollway_logger_close(WAIT_MS) != 0);
    }
    size_t n = 0;
    for (ssize_t got; n < size - 1 && (got = read(terminal, ret_text + n, size - 1 - n)) > 0;)
        n += (size_t)got;
    ret_text[n] = 0;
    close(terminal);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void colour_on_terminals(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* forks */
#endif
    static const struct {
        const char *settings, *variable, *value;
        bool colour;
    } cases[] = {
        {"appender.c.type = console\n", "X", "", true},
        {"appender.c.type = console\nappender.c.stream = stdout\n", "X", "", true},
        {"appender.c.type = console\n", "NO_COLOR", "1", false},
        {"appender.c.type = console\n", "TERM", "dumb", false},
        {"appender.c.type = console\nappender.c.color = never\n", "X", "", false},
        {"appender.c.type = console\nappender.c.colour = always\n", "TERM", "dumb", true},
        {"appender.c.type = console\nappender.c.format = json\n", "X", "", false},
        {"appender.c.type = console\nappender.c.format = %p %m\n", "X", "", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[512];
        make_dir();
        say(cases[i].settings, cases[i].variable, cases[i].value, text, sizeof(text));
        assert_non_null(strstr(text, "look"));
        if (!strstr(text, "\x1b[33mwarn\x1b[0m") == cases[i].colour)
            fail_msg("case %zu: %s", i, text);
        remove_dir();
    }
}

/* ---- smaller things ---- */

static size_t shout(void *arg, const struct rollway_event *event, char *out, size_t size)
{
    char message[64];
    (void)rollway_event_message(event, message, sizeof(message));
    int n = snprintf(out, size, "%s %s!\n", (const char *)arg, message);
    return n < 0 ? 0 : (size_t)n;
}

static void formatters_of_the_program(void **state)
{
    (void)state;
    make_dir();
    char word[] = "HEY";
    assert_int_equal(rollway_logger_add_formatter("shout", shout, word), 0);
    assert_int_equal(rollway_logger_add_formatter("", shout, word), -2);
    start(FILE_("x.log") "appender.f.format = shout\n");
    rollway_info("you");
    stop();
    assert_int_equal(count("x.log", "HEY you!\n"), 1);
    remove_dir();
}

/* A key is there once: the field of the call wins over that of the context. */
static void keys_are_there_once(void **state)
{
    (void)state;
    make_dir();
    start(FILE_("x.log") "appender.f.format = json\n");
    assert_int_equal(rollway_context_set("user", "context"), 0);
    assert_int_equal(rollway_context_set("request", "r1"), 0);
    rollway_info("once", "user", "field");
    rollway_info("other");
    rollway_context_clear();
    stop();
    assert_int_equal(count("x.log", "\"request\":\"r1\",\"user\":\"field\""), 1);
    assert_int_equal(count("x.log", "\"user\":\"context\""), 1);
    remove_dir();
}

/* A test that failed in the middle leaves a logger that runs. */
static int end(void **state)
{
    (void)state;
    (void)rollway_logger_close(0);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_oldest_go_first, end),
        cmocka_unit_test_teardown(the_first_ones_stay, end),
        cmocka_unit_test_teardown(an_open_breaker_holds_nobody_up, end),
        cmocka_unit_test_teardown(waiting_has_an_end, end),
        cmocka_unit_test_teardown(blocked_until_it_writes_again, end),
        cmocka_unit_test_teardown(levels_have_policies_of_their_own, end),
        cmocka_unit_test_teardown(what_fails_is_counted, end),
        cmocka_unit_test_teardown(read_again_at_a_signal, end),
        cmocka_unit_test_teardown(nothing_is_lost_when_read_again, end),
        cmocka_unit_test_teardown(not_every_signal_can_be_had, end),
        cmocka_unit_test_teardown(rates_and_samples, end),
        cmocka_unit_test_teardown(limits_of_files, end),
        cmocka_unit_test_teardown(metrics_in_a_file, end),
        cmocka_unit_test_teardown(colour_on_terminals, end),
        cmocka_unit_test_teardown(formatters_of_the_program, end),
        cmocka_unit_test_teardown(keys_are_there_once, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
