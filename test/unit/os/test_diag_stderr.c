/* The sink for log lines, writing into a pipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/os.h"

static char text[1 << 20];

/* Everything that was written to the file so far. */
static void slurp(FILE *f)
{
    rewind(f);
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
}

static size_t lines(void)
{
    size_t n = 0;
    for (const char *c = text; (c = strchr(c, '\n')); c++)
        n++;
    return n;
}

static struct rw_diag *open_sink(FILE *f)
{
    struct rw_os_diag_options o;
    rw_os_diag_options_init(&o);
    o.fd = fileno(f);
    o.node = 3;
    struct rw_diag *d = NULL;
    assert_int_equal(rw_os_diag_new(&o, &d), RW_OK);
    return d;
}

static void json_off_a_terminal(void **state)
{
    (void)state;
    FILE *f = tmpfile();
    struct rw_diag *d = open_sink(f);
    rw_diag(d, RW_WARN, "log", "torn batch", rw_kv_str("dir", "a\n\"b"), rw_kv_int("at", -5));
    rw_diag(d, RW_DEBUG, "log", "below the level");
    rw_os_diag_free(d);
    slurp(f);
    assert_int_equal(lines(), 1);
    assert_non_null(strstr(text, "\"level\":\"warn\""));
    assert_non_null(strstr(text, "\"node\":3,\"dir\":\"a\\n\\\"b\",\"at\":-5}\n"));
    fclose(f);
}

static void repeats_are_counted(void **state)
{
    (void)state;
    FILE *f = tmpfile();
    struct rw_diag *d = open_sink(f);
    for (int i = 0; i < 1000; i++)
        rw_diag(d, RW_ERROR, "net", "connection lost", rw_kv_int("n", i));
    rw_diag(d, RW_ERROR, "net", "something else");
    for (int i = 0; i < 30; i++)
        rw_diag(d, RW_FATAL, "net", "the end");
    slurp(f);
    assert_int_equal(lines(), RW_OS_DIAG_BURST + 1 + 30);
    rw_os_diag_free(d);
    slurp(f);
    assert_int_equal(lines(), RW_OS_DIAG_BURST + 1 + 30 + 1);
    assert_non_null(strstr(text, "\"connection lost\",\"node\":3,\"repeated\":990}"));
    fclose(f);
}

static void *shout(void *arg)
{
    for (int i = 0; i < 500; i++)
        rw_diag((struct rw_diag *)arg, RW_FATAL, "thread", "whole lines only",
                rw_kv_str("fill", "................................................"));
    return NULL;
}

static void threads_do_not_mix(void **state)
{
    (void)state;
    FILE *f = tmpfile();
    struct rw_diag *d = open_sink(f);
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, shout, d), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    rw_os_diag_free(d);
    slurp(f);
    assert_int_equal(lines(), 2000);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        assert_memory_equal(line, "{\"", 2);
        assert_ptr_equal(strstr(line, "whole lines only"), strrchr(line, 'w'));
        assert_string_equal(line + strlen(line) - 3, ".\"}");
    }
    fclose(f);
}

static void assertions_speak(void **state)
{
    (void)state;
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipes[1], 2);
        rw_os_assert_to_stderr();
        RW_ASSERT(1 + 1 == 3);
        _exit(0);
    }
    close(pipes[1]);
    ssize_t n = read(pipes[0], text, sizeof(text) - 1);
    close(pipes[0]);
    assert_true(n > 0);
    text[n] = '\0';
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(text, "assertion failed: 1 + 1 == 3 (assertions_speak, "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_off_a_terminal), cmocka_unit_test(repeats_are_counted),
        cmocka_unit_test(threads_do_not_mix), cmocka_unit_test(assertions_speak)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
