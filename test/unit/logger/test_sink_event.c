/* Appenders that get records, or write to what is not a file: syslog, journal, console, memory, callback; the daemons are the test. */
#include "sink_test.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "logger/event.h"
#include "logger/sink_memory.h"

static struct rw_lg_view view_of(const char *message, const char *key, const char *value)
{
    struct rw_lg_view v = {.time_ns = 1700000000123456000,
                           .level = ROLLWAY_WARN,
                           .logger = "net.http",
                           .message = message,
                           .message_n = strlen(message),
                           .file = "a.c",
                           .function = "f",
                           .line = 7,
                           .thread = 9,
                           .n_fields = key ? 1 : 0};
    if (key)
        v.fields[0] = (struct rw_lg_field){
            .key = key, .key_n = strlen(key), .value = {ROLLWAY_T_CSTR_, 0, value, strlen(value)}};
    return v;
}

static int listen_unix(const char *path, int type)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    unlink(path);
    int fd = socket(AF_UNIX, type, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 4), 0);
    return fd;
}

static const char *heard(int fd)
{
    static char text[65536];
    ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
    assert_true(n >= 0);
    text[n] = 0;
    return text;
}

static struct rw_lg_sink *opened(struct rw_lg_sink *s)
{
    struct rw_err err = {0};
    if (s->ops->open(s, &err))
        fail_msg("%s", err.text);
    return s;
}

static void test_syslog(void **state)
{
    (void)state;
    char dir[64], path[100];
    snprintf(path, sizeof(path), "%s/log", sink_dir(dir));
    struct rw_lg_sink *s = rw_lg_sink_syslog();
    sink_set(s, "address", path);
    sink_set(s, "facility", "local0");
    sink_set(s, "app", "shop");
    sink_set(s, "max_size", "480");
    opened(s);
    struct rw_lg_view v = view_of("hello", "us er", "a\"b]c\\");
    assert_int_equal(s->ops->event(s, &v), RW_E_AGAIN); /* nobody there yet */
    int fd = listen_unix(path, SOCK_DGRAM);
    assert_int_equal(s->ops->event(s, &v), RW_OK);
    const char *text = heard(fd);
    assert_memory_equal(text, "<132>1 2023-11-14T22:13:20.123456Z ", 35);
    char want[128];
    snprintf(want, sizeof(want), " shop %d net.http [rollway@32473 us_er=\"a\\\"b\\]c\\\\\"] hello",
             (int)getpid());
    assert_non_null(strstr(text, want));
    /* The daemon starts anew; nothing that was accepted is lost. */
    close(fd);
    fd = listen_unix(path, SOCK_DGRAM);
    assert_int_equal(s->ops->event(s, &v), RW_OK);
    assert_non_null(strstr(heard(fd), want));
    /* Too long: cut between characters. */
    char large[1001];
    for (int i = 0; i < 1000; i += 2)
        memcpy(large + i, "\xc3\xa4", 2);
    large[1000] = 0;
    v = view_of(large, NULL, NULL);
    assert_int_equal(s->ops->event(s, &v), RW_OK);
    text = heard(fd);
    size_t n = strlen(text);
    assert_true(n == 480 || n == 479);
    assert_memory_equal(text + n - 2, "\xc3\xa4", 2);
    /* It does not read: no waiting for ever. */
    sink_set(s, "timeout", "10");
    int rc = RW_OK;
    for (int i = 0; i < 10000 && !rc; i++)
        rc = s->ops->event(s, &v);
    assert_int_equal(rc, RW_E_AGAIN);
    close(fd);
    s->ops->free(s);
    sink_remove(dir);
}

static void test_syslog_tcp(void **state)
{
    (void)state;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    char address[64];
    snprintf(address, sizeof(address), "tcp://127.0.0.1:%d", ntohs(a.sin_port));
    struct rw_lg_sink *s = rw_lg_sink_syslog();
    sink_set(s, "address", address);
    opened(s);
    struct rw_lg_view v = view_of("two\nlines\x1b\xc2\x9b\xc3\xa4", NULL, NULL);
    for (int i = 0; i < 2; i++) { /* the second time on a new connection */
        assert_int_equal(s->ops->event(s, &v), RW_OK);
        int c = accept(fd, NULL, NULL);
        const char *text = heard(c), *blank = strchr(text, ' ');
        assert_int_equal(atoi(text), strlen(blank + 1));
        assert_string_equal(strstr(text, " - two"), " - two\\nlines\\u001b\\u009b\xc3\xa4");
        close(c);
    }
    close(fd);
    s->ops->free(s);
}

static void test_journald(void **state)
{
    (void)state;
    char dir[64], path[100];
    snprintf(path, sizeof(path), "%s/journal", sink_dir(dir));
    struct rw_lg_sink *s = rw_lg_sink_journald();
    sink_set(s, "address", path);
    sink_set(s, "identifier", "shop");
    opened(s);
    int fd = listen_unix(path, SOCK_DGRAM);
    struct rw_lg_view v = view_of("hello", "_user-id", "x");
    assert_int_equal(s->ops->event(s, &v), RW_OK);
    assert_string_equal(
        heard(fd), "MESSAGE=hello\nPRIORITY=4\nSYSLOG_IDENTIFIER=shop\nCODE_FILE=a.c\nCODE_FUNC=f\n"
                   "CODE_LINE=7\nTID=9\nLOGGER=net.http\nF__USER_ID=x\n");
    v = view_of("a\nb", NULL, NULL);
    assert_int_equal(s->ops->event(s, &v), RW_OK);
    assert_memory_equal(heard(fd), "MESSAGE\n\3\0\0\0\0\0\0\0a\nb\nPRIORITY=4\n", 31);
    /* Larger than a datagram: a sealed file. */
    size_t n = 1 << 20;
    char *large = calloc(1, n + 1);
    memset(large, 'x', n);
    v = view_of(large, NULL, NULL);
    assert_int_equal(s->ops->event(s, &v), RW_OK);
    char control[64];
    struct msghdr m = {.msg_control = control, .msg_controllen = sizeof(control)};
    assert_int_equal(recvmsg(fd, &m, MSG_DONTWAIT), 0);
    assert_non_null(CMSG_FIRSTHDR(&m));
    int file;
    memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(file));
    assert_int_equal(fcntl(file, F_GET_SEALS),
                     F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    char start[10] = {0};
    assert_int_equal(pread(file, start, 9, 0), 9);
    assert_string_equal(start, "MESSAGE=x");
    assert_true(lseek(file, 0, SEEK_END) > (off_t)n);
    close(file);
    free(large);
    close(fd);
    s->ops->free(s);
    sink_remove(dir);
}

static void test_console(void **state)
{
    (void)state;
    int saved = dup(1), ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(stdout);
    dup2(ends[1], 1);
    struct rw_lg_sink *s = rw_lg_sink_console();
    sink_set(s, "stream", "stdout");
    sink_set(s, "timeout", "20");
    opened(s);
    int first = sink_write(s, "one\n"), rc = RW_OK;
    char got[8] = {0};
    ssize_t n = read(ends[0], got, sizeof(got));
    for (int i = 0; i < 100000 && !rc; i++) /* nobody reads */
        rc = sink_write(s, "0123456789012345678901234567890123456789\n");
    close(ends[0]);
    int gone = sink_write(s, "one\n"); /* and no signal */
    dup2(saved, 1);
    close(saved);
    close(ends[1]);
    assert_int_equal(first, RW_OK);
    assert_int_equal(n, 4);
    assert_int_equal(rc, RW_E_AGAIN);
    assert_int_equal(gone, RW_E_CLOSED);
    s->ops->free(s);
}

static void test_memory(void **state)
{
    (void)state;
    struct rw_lg_sink *s = rw_lg_sink_memory();
    sink_set(s, "lines", "3");
    opened(s);
    char out[64] = {0};
    size_t n;
    assert_int_equal(rw_lg_memory_copy(s, out, sizeof(out), &n), 0);
    assert_int_equal(sink_write(s, "1\n22\n333\n4444\n"), RW_OK);
    assert_int_equal(rw_lg_memory_copy(s, out, sizeof(out), &n), 12);
    assert_int_equal(n, 12);
    assert_memory_equal(out, "22\n333\n4444\n", 12);
    assert_int_equal(rw_lg_memory_copy(s, out, 7, &n), 12);
    assert_int_equal(n, 5);
    assert_memory_equal(out, "4444\n", 5);
    s->ops->free(s);
}

static int remember(void *arg, const struct rollway_event *e)
{
    *(int64_t *)arg += e->view->line;
    return *(int64_t *)arg > 7;
}

static void test_callback(void **state)
{
    (void)state;
    int64_t sum = 0;
    struct rw_err err;
    assert_int_equal(rollway_logger_add_callback("sum", remember, &sum), 0);
    struct rw_lg_sink *s = rw_lg_sink_callback();
    assert_int_equal(s->ops->set(s, rw_str("callback"), rw_str("other"), &err), RW_E_INVAL);
    assert_int_equal(s->ops->ready(s, &err), RW_E_INVAL);
    sink_set(s, "callback", "sum");
    opened(s);
    struct rw_lg_view v = view_of("x", NULL, NULL);
    assert_int_equal(s->ops->event(s, &v), RW_OK);
    assert_int_equal(s->ops->event(s, &v), RW_E_RECORD);
    assert_int_equal(sum, 14);
    s->ops->free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syslog),   cmocka_unit_test(test_syslog_tcp),
        cmocka_unit_test(test_journald), cmocka_unit_test(test_console),
        cmocka_unit_test(test_memory),   cmocka_unit_test(test_callback)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
