/* The library as a program uses it: calls, policies, levels, fork, close and start again, kill and rescue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rollway/logger.h"

enum { THREADS = 4, EACH = 20000 };

static char dir[64], path[96];

static void make_dir(void)
{
    snprintf(dir, sizeof(dir), "/tmp/rw_logger_XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/app.log", dir);
}

static void remove_dir(void)
{
    char command[96];
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

static void start(const char *more)
{
    char settings[1024];
    snprintf(
        settings, sizeof(settings),
        "appender.f.type=file\nappender.f.path=%s\nrings.dir=%s\nappender.f.overflow=block\n%s",
        path, dir, more);
    struct rollway_logger_options o = {.size = sizeof(o), .name = "test", .settings = settings};
    int rc = rollway_logger_start(&o);
    if (rc)
        fail_msg("start: %d %s", rc, rollway_logger_error());
}

static void stop(void)
{
    assert_int_equal(rollway_logger_close(10000), 0);
}

/* The file's text; the caller frees. */
static char *content(void)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return strdup("");
    char *text = NULL;
    size_t n = 0, cap = 0, got;
    do {
        cap += 1 << 16;
        text = realloc(text, cap + 1);
        assert_non_null(text);
        got = fread(text + n, 1, cap - n, f);
        n += got;
    } while (got);
    text[n] = 0;
    fclose(f);
    return text;
}

/* Line by line: sanitizers go over all that is given to a search, each time. */
static size_t count(const char *text, const char *what)
{
    size_t n = 0, size = strlen(what);
    for (const char *end = text + strlen(text), *line = text, *next; line < end; line = next) {
        const char *nl = memchr(line, '\n', (size_t)(end - line));
        next = nl ? nl + 1 : end;
        for (const char *p = line; (p = memmem(p, (size_t)(next - p), what, size)); p += size)
            n++;
    }
    return n;
}

static void has(const char *what)
{
    char *text = content();
    if (!strstr(text, what))
        fail_msg("no <%s> in:\n%s", what, text);
    free(text);
}

static void every_kind_of_value(void **state)
{
    (void)state;
    make_dir();
    start("");
    errno = ENOENT;
    char name[] = "gopher";
    rollway_info("kinds", "i", -5, "u", 5u, "l", 5000000000ll, "d", 1.5, "t", "two words", "none",
                 (char *)NULL, "n", name, "part", ROLLWAY_TEXT("abcdef", 3), "bytes",
                 ROLLWAY_BYTES("\x01\xff", 2), "c", (char)'x', "b", (_Bool)1);
    rollway_error("failed", "path", "/x", ROLLWAY_ERRNO);
    rollway_warnf("%s is %d %% of %.2f, %5s|%-5s|%.*s", "it", 90, 2.5, "ab", "cd", 2, "efgh");
    assert_int_equal(errno, ENOENT);
    stop();
    has("msg=kinds i=-5 u=5 l=5000000000 d=1.5 t=\"two words\" none=null n=gopher part=abc "
        "bytes=01ff c=x b=true\n");
    has("level=error msg=failed path=/x error=\"No such file or directory\" errno=2\n");
    has("msg=\"it is 90 % of 2.50,    ab|cd   |ef\"\n");
    remove_dir();
}

static void *flood(void *arg)
{
    int t = (int)(intptr_t)arg;
    for (int i = 0; i < EACH; i++)
        rollway_info("flood", "t", t, "i", i);
    return NULL;
}

/* Each line of each thread once, in its order. */
static void check_flood(int threads, int each)
{
    char *text = content(), *save = NULL;
    int next[THREADS] = {0};
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        int t, i;
        const char *fields = strstr(line, " t=");
        if (!fields)
            continue;
        assert_int_equal(sscanf(fields, " t=%d i=%d", &t, &i), 2);
        assert_int_equal(i, next[t]);
        next[t]++;
    }
    for (int t = 0; t < threads; t++)
        assert_int_equal(next[t], each);
    free(text);
}

static void nothing_is_lost_when_calls_may_wait(void **state)
{
    (void)state;
    make_dir();
    start("overflow=block\nring.bytes=256KiB\n");
    pthread_t threads[THREADS];
    for (intptr_t t = 0; t < THREADS; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, flood, (void *)t), 0);
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    assert_int_equal(rollway_logger_flush(20000), 0);
    check_flood(THREADS, EACH);
    struct rollway_logger_stats s = {.size = sizeof(s)};
    rollway_logger_get_stats(&s);
    assert_int_equal(s.accepted, THREADS * EACH);
    assert_int_equal(s.written, THREADS * EACH);
    stop();
    remove_dir();
}

/* The collector sleeps for a second: one ring is all the room there is. */
static void dropped_by_policy(const char *policy, bool oldest)
{
    make_dir();
    char more[128];
    snprintf(more, sizeof(more), "ring.bytes=256KiB\npoll=1s\noverflow=%s\nlevel.rollway=off\n",
             policy);
    start(more);
    assert_int_equal(rollway_logger_flush(5000), 0);
    for (int i = 0; i < EACH; i++)
        rollway_info("d", "i", i, "t", 0);
    struct rollway_logger_stats s = {.size = sizeof(s)};
    assert_int_equal(rollway_logger_flush(5000), 0);
    rollway_logger_get_stats(&s);
    char *text = content();
    size_t lines = count(text, "msg=d ");
    assert_true(s.dropped[ROLLWAY_INFO] > 0);
    assert_int_equal(lines + s.dropped[ROLLWAY_INFO], EACH);
    assert_int_equal(strstr(text, " i=19999 ") != NULL, oldest);
    free(text);
    stop();
    remove_dir();
}

static void the_newest_is_dropped(void **state)
{
    (void)state;
    dropped_by_policy("drop", false);
}

static void the_oldest_is_dropped(void **state)
{
    (void)state;
    dropped_by_policy("drop_oldest", true);
}

static void levels_and_switches(void **state)
{
    (void)state;
    make_dir();
    start("level=warn\nlevel.net=debug\n");
    struct rollway_logger *net = rollway_logger_get("net.http");
    assert_ptr_equal(net, rollway_logger_get("net.http"));
    for (int i = 0; i < 2; i++) {
        rollway_info("below");
        rollway_to(net, ROLLWAY_DEBUG, "named");
        rollway_to(net, ROLLWAY_TRACE, "too low");
        assert_true(
            rollway_logger_switch("*test_engine.c", "levels_and_switches", i == 0 ? 1 : -1) > 0);
    }
    assert_int_equal(rollway_logger_set_level("", ROLLWAY_INFO), 0);
    rollway_info("now");
    stop();
    char *text = content();
    assert_int_equal(count(text, "msg=below"), 1); /* switched on */
    assert_int_equal(count(text, "logger=net.http msg=named"), 2);
    assert_int_equal(count(text, "msg=\"too low\""), 1);
    assert_int_equal(count(text, "msg=now"), 1);
    free(text);
    remove_dir();
}

static void limits_of_a_call_site(void **state)
{
    (void)state;
    make_dir();
    start("");
    for (int i = 0; i < 100; i++) {
        rollway_every(60000, ROLLWAY_INFO, "often");
        rollway_sample(10, ROLLWAY_INFO, "sampled");
    }
    stop();
    char *text = content();
    assert_int_equal(count(text, "msg=often"), 1);
    assert_int_equal(count(text, "msg=sampled sample=10"), 10);
    free(text);
    remove_dir();
}

static void context_is_the_threads_own(void **state)
{
    (void)state;
    make_dir();
    start("");
    assert_int_equal(rollway_context_set("request", "r 1"), 0);
    rollway_info("with", "a", 1);
    rollway_context_clear();
    rollway_info("without", "a", 1);
    rollway_to(rollway_logger_get("bare"), ROLLWAY_ERROR, "nothing but its head");
    assert_int_equal(rollway_context_set("", "x"), -2);
    stop();
    has("level=error logger=bare msg=\"nothing but its head\"\n");
    has("msg=with request=\"r 1\" a=1\n");
    has("msg=without a=1\n");
    remove_dir();
}

static void *log_once(void *arg)
{
    rollway_info("short", "i", (int)(intptr_t)arg);
    return NULL;
}

static void threads_that_come_and_go_share_rings(void **state)
{
    (void)state;
    make_dir();
    start("overflow=block\n");
    for (intptr_t i = 0; i < 2000; i++) {
        pthread_t t;
        assert_int_equal(pthread_create(&t, NULL, log_once, (void *)i), 0);
        pthread_join(t, NULL);
    }
    struct rollway_logger_stats s = {.size = sizeof(s)};
    rollway_logger_get_stats(&s);
    assert_true(s.rings <= 2);
    stop();
    char *text = content();
    assert_int_equal(count(text, "msg=short"), 2000);
    free(text);
    remove_dir();
}

static _Atomic int handled; /* signals that come together are one */

static void on_signal(int number)
{
    handled++;
    rollway_warn("signal", "number", number);
}

static void signal_handlers_may_log(void **state)
{
    (void)state;
    make_dir();
    start("overflow=block\nring.bytes=256KiB\n");
    signal(SIGPROF, on_signal);
    pthread_t self = pthread_self(), t;
    assert_int_equal(pthread_create(&t, NULL, flood, NULL), 0);
    for (int i = 0; i < 300; i++) {
        pthread_kill(i % 2 ? t : self, SIGPROF);
        rollway_info("between");
        usleep(100);
    }
    pthread_join(t, NULL);
    signal(SIGPROF, SIG_DFL);
    struct rollway_logger_stats s = {.size = sizeof(s)};
    rollway_logger_get_stats(&s);
    stop();
    char *text = content();
    assert_int_equal(count(text, "msg=between"), 300);
    assert_int_equal(count(text, "msg=signal number=27") + s.dropped[ROLLWAY_WARN], handled);
    assert_true(handled > 0);
    free(text);
    remove_dir();
}

static void a_child_has_a_logger_of_its_own(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* it does not know threads that are started in a child of a process with threads */
#endif
    make_dir();
    start("");
    for (int i = 0; i < 50; i++)
        rollway_info("parent", "i", i);
    pid_t child = fork();
    if (child == 0) {
        rollway_info("child");
        _exit(rollway_logger_close(5000) == 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    rollway_info("after");
    stop();
    char *text = content();
    assert_int_equal(count(text, "msg=parent"), 50);
    assert_int_equal(count(text, "msg=child"), 1);
    assert_int_equal(count(text, "msg=after"), 1);
    free(text);
    remove_dir();
}

static void closed_and_started_again(void **state)
{
    (void)state;
    make_dir();
    for (int i = 0; i < 3; i++) {
        start("");
        rollway_info("round", "i", i);
        stop();
        rollway_info("between rounds");
    }
    assert_int_equal(rollway_logger_close(100), 0);
    char *text = content();
    assert_int_equal(count(text, "msg=round"), 3);
    assert_int_equal(count(text, "between"), 0);
    free(text);
    remove_dir();
}

static void each_call_is_written_in_sync_mode(void **state)
{
    (void)state;
    make_dir();
    start("mode=sync\n");
    rollway_info("first");
    has("msg=first");
    rollway_infof("second %d", 2);
    has("msg=\"second 2\"");
    stop();
    remove_dir();
}

/* Killed at any moment: what was counted after its call had returned is there once. */
static void a_killed_process_loses_nothing(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* as above */
#endif
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(page != MAP_FAILED);
    _Atomic int *done = page;
    for (int round = 0; round < 8; round++) {
        make_dir();
        *done = 0;
        pid_t child = fork();
        if (child == 0) {
            start("overflow=block\nappender.f.flush.interval=2ms\n");
            for (int i = 0;; i++) {
                rollway_info("k", "t", 0, "i", i, "text", "some text");
                *done = i + 1;
            }
        }
        while (*done < 1000 + round * 7777)
            usleep(100);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        start("");
        assert_int_equal(rollway_logger_flush(20000), 0);
        stop();
        char *text = content();
        int lines = (int)count(text, "msg=k ");
        free(text);
        /* The call that was under way may be there, too. */
        assert_in_range(lines, *done, *done + 1);
        check_flood(1, lines);
        remove_dir();
    }
    munmap(page, 4096);
}

static void settings_that_are_wrong_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *settings, *words;
    } cases[] = {
        {"level=loud", "settings, line 1: level: must be trace"},
        {"\n\nlevle=info", "settings, line 3: levle: no such setting"},
        {"appender.f.type=fiel", "appender.f.type: there is no type fiel"},
        {"appender.f.path=x", "appender.f.type is missing"},
        {"appender.f.type=file\nappender.f.paht=x",
         "appender.f.paht: no such setting of a file appender"},
        {"overflow=blokc", "overflow: must be drop"},
        {"ring.bytes=12", "ring.bytes: must be a size"},
        {"level=loud # not a comment", ", not \"loud # not a comment\""},
        {"appender.f.type=file", "appender.f.path: a file appender needs one"},
        {"appender.f.type=file\nappender.f.path=x\nappender.f.mode=999", "appender.f.mode: octal"},
        {"appender.f.type=console\nappender.f.format=%q", "appender.f: pattern"},
        {"appender.f.type=broker\nappender.f.topic=t\nappender.f.brokers=127.0.0.1:99999",
         "appender.f.brokers: \"127.0.0.1:99999\" is no broker address"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rollway_logger_options o = {
            .size = sizeof(o), .name = "test", .settings = cases[i].settings};
        assert_int_equal(rollway_logger_start(&o), -2);
        if (!strstr(rollway_logger_error(), cases[i].words))
            fail_msg("<%s> is said: %s", cases[i].settings, rollway_logger_error());
    }
    struct rollway_logger_options o = {.size = sizeof(o), .file = "/nonexistent/x.conf"};
    assert_int_equal(rollway_logger_start(&o), -8);
}

/* Longer than what numbers are padded to; and what printf itself refuses. */
static void formats_that_others_cut(void **state)
{
    (void)state;
    static char text[60001], line[70000];
    size_t n = 0;
    memset(text, 'x', sizeof(text) - 1);
    struct rollway_logger_options o = {
        .size = sizeof(o),
        .name = "test",
        .settings = "rings.dir = none\nlevel.rollway = off\nappender.m.type = memory\n"
                    "appender.m.format = %m%n\n"};
    assert_int_equal(rollway_logger_start(&o), 0);
    rollway_infof("%.*s", 60000, text);
    rollway_logger_flush(5000);
    rollway_logger_memory("m", line, sizeof(line), &n);
    assert_int_equal(n, 60001);
    rollway_infof("%ls", L"\u4e2d"); /* not in the C locale */
    rollway_logger_flush(5000);
    rollway_logger_memory("m", line, sizeof(line), &n);
    assert_int_equal(n, 60001 + 4);
    assert_memory_equal(line + 60001, "%ls\n", 4);
    rollway_logger_close(100);
}

static void options_without_a_size(void **state)
{
    (void)state;
    assert_true(rollway_logger_start(&(struct rollway_logger_options){.name = "x"}) < 0);
    assert_non_null(strstr(rollway_logger_error(), "options.size is not set"));
    assert_int_equal(rollway_logger_start(NULL), 0);
    rollway_logger_close(100);
}

/* As people write them. */
static void settings_with_blanks_and_capitals(void **state)
{
    (void)state;
    struct rollway_logger_options o = {
        .size = sizeof(o), .name = "test", .settings = "rings.dir = none \r\nlevel =  WARN\t \n"};
    assert_int_equal(rollway_logger_start(&o), 0);
    assert_int_equal(rollway_default_logger.level, ROLLWAY_WARN);
    rollway_logger_close(100);
}

static void settings_are_read_again(void **state)
{
    (void)state;
    make_dir();
    char file[96], text[512];
    snprintf(file, sizeof(file), "%s/logger.conf", dir);
    for (int round = 0; round < 2; round++) {
        FILE *f = fopen(file, "we");
        assert_non_null(f);
        snprintf(text, sizeof(text),
                 "rings.dir=%s\nlevel=%s\nappender.f.type=file\nappender.f.path=%s\nappender.f."
                 "format=%s\n",
                 dir, round ? "debug" : "info", path, round ? "json" : "logfmt");
        assert_true(fputs(text, f) >= 0 && fclose(f) == 0);
        struct rollway_logger_options o = {.size = sizeof(o), .name = "test", .file = file};
        assert_int_equal(round ? rollway_logger_reload() : rollway_logger_start(&o), 0);
        rollway_debug("low", "round", round);
        rollway_info("high", "round", round);
    }
    FILE *f = fopen(file, "we");
    assert_true(f && fputs("level=loud\n", f) >= 0 && fclose(f) == 0);
    assert_int_equal(rollway_logger_reload(), -2);
    rollway_info("still");
    stop();
    char *all = content();
    assert_int_equal(count(all, "low"), 1);
    assert_int_equal(count(all, "msg=high round=0"), 1);
    assert_int_equal(count(all, "\"message\":\"high\",\"round\":1"), 1);
    assert_int_equal(count(all, "\"message\":\"still\""), 1);
    free(all);
    remove_dir();
}

/* While it is away, the journal is written over more than once. */
static void an_appender_goes_and_comes_back(void **state)
{
    (void)state;
    make_dir();
    char file[96], text[512], second[96];
    snprintf(file, sizeof(file), "%s/logger.conf", dir);
    snprintf(second, sizeof(second), "%s/second.log", dir);
    for (int round = 0; round < 3; round++) {
        FILE *f = fopen(file, "we");
        assert_non_null(f);
        snprintf(text, sizeof(text),
                 "rings.dir=%s\njournal.bytes=1MiB\noverflow=block\nappender.f.type=file\nappender."
                 "f.path=%s\nappender.f.overflow=block\n%s%s\n",
                 dir, path, round == 1 ? "#" : "appender.g.type=file\nappender.g.path=", second);
        assert_true(fputs(text, f) >= 0 && fclose(f) == 0);
        struct rollway_logger_options o = {.size = sizeof(o), .name = "test", .file = file};
        assert_int_equal(round ? rollway_logger_reload() : rollway_logger_start(&o), 0);
        for (int i = 0; i < (round == 1 ? 100000 : 10); i++)
            rollway_info("line", "round", round, "i", i);
        assert_int_equal(rollway_logger_flush(10000),
                         0); /* what is still in a ring, a new appender gets too */
    }
    stop();
    char *all = content();
    assert_int_equal(count(all, "msg=line"), 100020);
    free(all);
    assert_int_equal(rename(second, path), 0);
    all = content();
    assert_int_equal(count(all, "round=0"), 10);
    assert_int_equal(count(all, "round=1"), 0);
    assert_int_equal(count(all, "round=2"), 10);
    free(all);
    remove_dir();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value),
        cmocka_unit_test(nothing_is_lost_when_calls_may_wait),
        cmocka_unit_test(the_newest_is_dropped),
        cmocka_unit_test(the_oldest_is_dropped),
        cmocka_unit_test(levels_and_switches),
        cmocka_unit_test(limits_of_a_call_site),
        cmocka_unit_test(context_is_the_threads_own),
        cmocka_unit_test(threads_that_come_and_go_share_rings),
        cmocka_unit_test(signal_handlers_may_log),
        cmocka_unit_test(a_child_has_a_logger_of_its_own),
        cmocka_unit_test(closed_and_started_again),
        cmocka_unit_test(each_call_is_written_in_sync_mode),
        cmocka_unit_test(a_killed_process_loses_nothing),
        cmocka_unit_test(settings_that_are_wrong_are_named),
        cmocka_unit_test(options_without_a_size),
        cmocka_unit_test(settings_with_blanks_and_capitals),
        cmocka_unit_test(formats_that_others_cut),
        cmocka_unit_test(settings_are_read_again),
        cmocka_unit_test(an_appender_goes_and_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
