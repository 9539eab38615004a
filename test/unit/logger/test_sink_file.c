/* The file appender against real files: rotation, several processes, kills, and what others do to the file. */
#include "sink_test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include "base/crc32c.h"
#include "logger/sink_file.h"

static struct rw_lg_sink *sink_new(const char *dir, const char *name)
{
    struct rw_lg_sink *s = rw_lg_sink_file();
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    sink_set(s, "path", path);
    return s;
}

static void sink_open(struct rw_lg_sink *s)
{
    struct rw_err err = {0};
    if (s->ops->open(s, &err))
        fail_msg("%s", err.text);
}

static void test_settings(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"rotate.size", "many"},    {"rotate.interval", "-1s"}, {"mode", "9"},  {"mode", "0400"},
        {"sync", "often"},          {"share", "yes"},           {"path", "%x"}, {"path", ""},
        {"rotate.compress", "lz4"}, {"rotate.count", "1.5"}};
    struct rw_lg_sink *s = rw_lg_sink_file();
    struct rw_err err;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(s->ops->set(s, rw_str(bad[i][0]), rw_str(bad[i][1]), &err), RW_E_INVAL);
    assert_int_equal(s->ops->set(s, rw_str("colour"), rw_str("red"), &err), RW_E_NOT_FOUND);
    assert_int_equal(s->ops->ready(s, &err), RW_E_INVAL);
    s->ops->free(s);
}

static void test_mode_and_pid(void **state)
{
    (void)state;
    char dir[64], want[64];
    struct rw_lg_sink *s = sink_new(sink_dir(dir), "sub/app-%p.log");
    sink_open(s);
    assert_int_equal(sink_write(s, "one\n"), RW_OK);
    snprintf(want, sizeof(want), "sub/app-%d.log", (int)getpid());
    assert_string_equal(sink_shell(dir, "ls sub/*"), want);
    assert_string_equal(sink_shell(dir, "stat -c %a sub/*; cat sub/*"), "640\none");
    s->ops->free(s);
    sink_remove(dir);
}

static void test_size_and_count(void **state)
{
    (void)state;
    char dir[64];
    struct rw_lg_sink *s = sink_new(sink_dir(dir), "app.log");
    sink_set(s, "rotate.size", "10");
    sink_set(s, "rotate.count", "3");
    sink_open(s);
    for (int i = 0; i < 6; i++) {
        char line[16];
        snprintf(line, sizeof(line), "line-%d\n", i);
        assert_int_equal(sink_write(s, line), RW_OK);
    }
    rw_lg_tidy_end(&((struct rw_lg_file *)s)->tidy, false);
    assert_string_equal(sink_shell(dir, "cat app.log.* app.log"), "line-2\nline-3\nline-4\nline-5");
    s->ops->free(s);
    sink_remove(dir);
}

static void compressed(const char *how, const char *unpack)
{
    char dir[64];
    struct rw_lg_sink *s = sink_new(sink_dir(dir), "app.log");
    sink_set(s, "rotate.size", "10");
    sink_set(s, "rotate.compress", how);
    /* Left behind by a process that was killed: without its original, and half of one that comes. */
    sink_shell(dir, "echo x > app.log.20200101T000000.000Z.gz.tmp; echo x > "
                    "app.log.20200101T000000.000Z.zst.tmp");
    sink_open(s);
    for (int i = 0; i < 3; i++)
        assert_int_equal(sink_write(s, i == 0   ? "first\n"
                                       : i == 1 ? "second\n"
                                                : "third\n"),
                         RW_OK);
    rw_lg_tidy_end(&((struct rw_lg_file *)s)->tidy, false);
    assert_int_equal(rw_lg_tidy_once(&((struct rw_lg_file *)s)->tidy, (int64_t)time(NULL) * 1000),
                     RW_OK);
    assert_string_equal(sink_shell(dir, unpack), "first\nsecond\nthird");
    assert_string_equal(sink_shell(dir, "ls | wc -l; ls | grep -c tmp"), "3\n0");
    s->ops->free(s);
    sink_remove(dir);
}

static void test_gzip(void **state)
{
    (void)state;
    compressed("gzip", "for f in app.log.*; do zcat $f; done; cat app.log");
}

static void test_zstd(void **state)
{
    (void)state;
    compressed("zstd", "for f in app.log.*; do zstd -dcq $f; done; cat app.log");
}

static void test_interval(void **state)
{
    (void)state;
    char dir[64];
    sink_dir(dir);
    sink_shell(dir, "echo yesterday > app.log; touch -d '25 hours ago' app.log");
    struct rw_lg_sink *s = sink_new(dir, "app.log");
    sink_set(s, "rotate.interval", "1d");
    sink_open(s);
    assert_int_equal(sink_write(s, "today\n"), RW_OK);
    assert_int_equal(sink_write(s, "too\n"), RW_OK);
    assert_string_equal(sink_shell(dir, "cat app.log; ls app.log.* | wc -l; cat app.log.*"),
                        "today\ntoo\n1\nyesterday");
    s->ops->free(s);
    sink_remove(dir);
}

static void test_others_move_cut_remove(void **state)
{
    (void)state;
    char dir[64];
    struct rw_lg_sink *s = sink_new(sink_dir(dir), "d/app.log");
    sink_open(s);
    assert_int_equal(sink_write(s, "1\n"), RW_OK);
    sink_shell(dir, "mv d/app.log d/app.log.1");
    s->ops->tick(s, 1);
    assert_int_equal(sink_write(s, "2\n"), RW_OK);
    assert_string_equal(sink_shell(dir, "cat d/app.log.1 d/app.log"), "1\n2");
    sink_shell(dir, "cp d/app.log d/copy; truncate -s 0 d/app.log");
    assert_int_equal(sink_write(s, "3\n"), RW_OK);
    assert_string_equal(sink_shell(dir, "cat d/copy d/app.log; stat -c %s d/app.log"), "2\n3\n2");
    sink_shell(dir, "rm -r d");
    s->ops->tick(s, 1);
    assert_int_equal(sink_write(s, "4\n"), RW_OK);
    assert_string_equal(sink_shell(dir, "cat d/app.log"), "4");
    /* The folder above is gone too: an error, until it is back. */
    char away[80];
    snprintf(away, sizeof(away), "%s.away", dir);
    assert_int_equal(rename(dir, away), 0);
    s->ops->tick(s, 1);
    assert_int_equal(sink_write(s, "5\n"), RW_E_NOT_FOUND);
    assert_int_equal(rename(away, dir), 0);
    assert_int_equal(sink_write(s, "5\n"), RW_OK);
    assert_string_equal(sink_shell(dir, "cat d/app.log"), "4\n5");
    s->ops->free(s);
    sink_remove(dir);
}

static void test_full(void **state)
{
    (void)state;
    struct rw_lg_sink *s = sink_new("/dev", "full");
    sink_open(s);
    struct rw_lg_mark mark;
    assert_false(s->ops->mark(s, 2, &mark));
    assert_int_equal(sink_write(s, "1\n"), RW_E_FULL);
    s->ops->free(s);
}

/* A limit on the size of files stands for the full disk: part of the chunk goes out. */
static void test_partial_write(void **state)
{
    (void)state;
    char dir[64];
    sink_dir(dir);
    pid_t pid = fork();
    if (pid == 0) {
        struct rw_lg_sink *s = sink_new(dir, "app.log");
        struct rw_err err;
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit limit = {10, 10};
        size_t n;
        struct rw_lg_chunk chunk = {.p = "aaa\nbbb\nccc\n", .n = 12, .lines = 3};
        bool fine = s->ops->open(s, &err) == RW_OK && setrlimit(RLIMIT_FSIZE, &limit) == 0 &&
                    s->ops->write(s, &chunk, &n) == RW_E_FULL && n == 8;
        s->ops->free(s);
        _exit(fine ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_string_equal(sink_shell(dir, "cat app.log; stat -c %s app.log"), "aaa\nbbb\n8");
    sink_remove(dir);
}

static void test_settled(void **state)
{
    (void)state;
    char dir[64];
    struct rw_lg_sink *s = sink_new(sink_dir(dir), "app.log");
    sink_open(s);
    struct rw_lg_mark mark;
    assert_int_equal(sink_write(s, "before\n"), RW_OK);
    assert_true(s->ops->mark(s, 8, &mark));
    assert_int_equal(mark.offset, 7);
    uint32_t hash = rw_crc32c(0, "one\ntwo\n", 8);
    assert_false(s->ops->settled(s, &mark, 8, hash)); /* nothing of it went out */
    sink_shell(dir, "printf 'one\\ntw' >> app.log");
    assert_false(s->ops->settled(s, &mark, 8, hash)); /* a part: it is taken away */
    assert_string_equal(sink_shell(dir, "cat app.log"), "before");
    sink_shell(dir, "printf 'one\\ntwo\\nthree\\n' >> app.log");
    assert_true(s->ops->settled(s, &mark, 8, hash));
    assert_false(s->ops->settled(s, &mark, 8, hash + 1));
    assert_int_equal(rw_lg_rotate(((struct rw_lg_file *)s)->path, 1700000000000), RW_OK);
    s->ops->reopen(s);
    assert_true(s->ops->settled(s, &mark, 8, hash)); /* in the rotated file */
    assert_string_equal(sink_shell(dir, "ls app.log.*"), "app.log.20231114T221320.000Z");
    s->ops->free(s);
    sink_remove(dir);
}

static void test_clock_back(void **state)
{
    (void)state;
    char dir[64], path[128];
    snprintf(path, sizeof(path), "%s/app.log", sink_dir(dir));
    sink_shell(dir, "echo 1 > app.log");
    assert_int_equal(rw_lg_rotate(path, 1700000000000), RW_OK);
    sink_shell(dir, "echo 2 > app.log");
    assert_int_equal(rw_lg_rotate(path, 1600000000000), RW_OK);
    assert_string_equal(sink_shell(dir, "cat app.log.*"), "1\n2");
    sink_remove(dir);
}

static void writer(const char *dir, int who, int lines, bool endless)
{
    struct rw_lg_sink *s = sink_new(dir, "app.log");
    sink_set(s, "share", "true");
    sink_set(s, "rotate.size", "4096");
    sink_open(s);
    for (int i = 0; i < lines || endless; i++) {
        char text[64];
        snprintf(text, sizeof(text), "%d %06d abcdefghijklmnopqrstuvwxyz\n", who, i);
        while (sink_write(s, text))
            ;
    }
    s->ops->free(s);
    _exit(0);
}

static void test_two_processes(void **state)
{
    (void)state;
    char dir[64];
    sink_dir(dir);
    pid_t pids[3];
    for (int i = 0; i < 3; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            writer(dir, i, 1000, false);
    }
    for (int i = 0; i < 3; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    /* Each once, none torn, and each process's in its order. */
    assert_string_equal(sink_shell(dir, "cat app.log* | grep -Ec '^[0-2] [0-9]{6} [a-z]{26}$'; cat "
                                        "app.log* | wc -l; cat app.log* | sort -u | wc -l"),
                        "3000\n3000\n3000");
    assert_string_equal(
        sink_shell(
            dir,
            "for w in 0 1 2; do cat app.log.* app.log | grep \"^$w\" | sort -c && echo ok; done"),
        "ok\nok\nok");
    assert_true(atoi(sink_shell(dir, "ls | wc -l")) > 20);
    sink_remove(dir);
}

/* Killed at any moment, of rotations too: the lines of each run are there from the first on without a gap. */
static void test_kill(void **state)
{
    (void)state;
    char dir[64];
    sink_dir(dir);
    for (int round = 0; round < 20; round++) {
        pid_t pid = fork();
        if (pid == 0)
            writer(dir, 10 + round, 0, true);
        usleep((useconds_t)(2000 + round * 517));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    const char *holes =
        "cat app.log.* app.log | awk '{ if ($2 + 0 != n[$1]) bad++; n[$1] = $2 + 1 } "
        "!/^[0-9]+ [0-9]+ abcdefghijklmnopqrstuvwxyz$/ { bad++ } END { print bad + 0, (NR > 20) }'";
    assert_string_equal(sink_shell(dir, holes), "0 1");
    sink_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_settings),
                                       cmocka_unit_test(test_mode_and_pid),
                                       cmocka_unit_test(test_size_and_count),
                                       cmocka_unit_test(test_gzip),
                                       cmocka_unit_test(test_zstd),
                                       cmocka_unit_test(test_interval),
                                       cmocka_unit_test(test_others_move_cut_remove),
                                       cmocka_unit_test(test_full),
                                       cmocka_unit_test(test_partial_write),
                                       cmocka_unit_test(test_settled),
                                       cmocka_unit_test(test_clock_back),
                                       cmocka_unit_test(test_two_processes),
                                       cmocka_unit_test(test_kill)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
