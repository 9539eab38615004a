/*
 * What programs do to a logging library, one thing a run: log_faults NAME SETTINGS [ARGUMENT]. Every line that it logs is "t" and "n", the
 * number of a thread or process and a number that counts up; what it prints last tells the driver (faults.py) how many of each it logged.
 * An alarm ends it when something hangs. It judges nothing: lines are the driver's business.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "rollway/logger.h"

enum { LOGGING = 8, HANG_SECONDS = 50 };

static const char *settings;
static atomic_bool stop;
static atomic_long counts[LOGGING];

/* "@path": settings from a file. */
static void start(void)
{
    bool file = settings[0] == '@';
    struct rollway_logger_options o = {.size = sizeof(o),
                                       .name = "log_faults",
                                       .file = file ? settings + 1 : NULL,
                                       .settings = file ? NULL : settings};
    if (rollway_logger_start(&o)) {
        fprintf(stderr, "%s\n", rollway_logger_error());
        exit(1);
    }
}

static void line(int t, long n)
{
    rollway_info("number", "t", t, "n", n);
}

/* KiB of memory that is the process's own. That of rings and journal, which is a file's, fills up with time to what the settings say. */
static long resident(void)
{
    long pages = 0, shared = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*d %ld %ld", &pages, &shared) != 2)
        abort();
    fclose(f);
    return (pages - shared) * (sysconf(_SC_PAGESIZE) / 1024);
}

static long long now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* Closes, and says in pairs of a word and a number how it went; "said" is what more there is to say. */
static int finish(const char *said)
{
    struct rollway_logger_stats s = {.size = sizeof(s)};
    const char *timeout = getenv("LOG_FAULTS_TIMEOUT");
    int ms = timeout ? atoi(timeout) : 20000;
    int rc = rollway_logger_flush(ms);
    rollway_logger_get_stats(&s);
    unsigned long long dropped = 0;
    for (int i = 0; i < ROLLWAY_LEVELS; i++)
        dropped += s.dropped[i];
    long long from = now_ns();
    long long lost = (long long)rollway_logger_close(ms);
    printf("accepted %llu dropped %llu failed %llu rescued %llu rings %llu flush %d lost %lld "
           "closed_ms %lld%s\n",
           (unsigned long long)s.accepted, dropped, (unsigned long long)s.failed,
           (unsigned long long)s.rescued, (unsigned long long)s.rings, rc, lost,
           (now_ns() - from) / 1000000, said);
    return 0;
}

/* ---- threads ---- */

static void *one_line(void *arg)
{
    line(1, (long)(intptr_t)arg);
    return NULL;
}

/* Threads that log one line each, ten at a time. Prints resident KiB after the first thousand and at the end. */
static int threads(long n)
{
    start();
    long early = 0;
    int open_early = 0;
    char said[128];
    for (long i = 0; i < n; i += 10) {
        pthread_t ids[10];
        for (long j = 0; j < 10; j++)
            if (pthread_create(&ids[j], NULL, one_line, (void *)(intptr_t)(i + j)) != 0)
                return 1;
        for (long j = 0; j < 10; j++)
            pthread_join(ids[j], NULL);
        if (i == 1000) {
            early = resident();
            open_early = descriptors();
        }
    }
    (void)rollway_logger_flush(20000);
    snprintf(said, sizeof(said), " early_kib %ld late_kib %ld more_descriptors %d", early,
             resident(), descriptors() - open_early);
    return finish(said);
}

/* Logs until it is told to stop. */
static void *keep_logging(void *arg)
{
    atomic_long *count = arg;
    int t = 100 + (int)(count - counts);
    while (!atomic_load(&stop)) {
        line(t, atomic_load(count));
        atomic_fetch_add(count, 1);
        if (atomic_load(count) % 20 == 0)
            usleep(1000);
    }
    return NULL;
}

static void start_logging(pthread_t ids[])
{
    for (int i = 0; i < LOGGING; i++)
        if (pthread_create(&ids[i], NULL, keep_logging, &counts[i]) != 0)
            exit(1);
}

static void tell_counts(void)
{
    printf("counts");
    for (int i = 0; i < LOGGING; i++)
        printf(" %ld", atomic_load(&counts[i]));
    printf("\n");
}

/* ---- forks ---- */

/* Three lines, and one of five ends. */
static void child(int i)
{
    for (long n = 0; n < 3; n++)
        line(1000 + i, n);
    switch (i % 5) {
    case 0:
        if (rollway_logger_close(20000) != 0)
            abort();
        _exit(0);
    case 1:
        _exit(0);
    case 2:
        execl("/bin/true", "true", (char *)NULL);
        _exit(9);
    case 3:
        kill(getpid(), SIGKILL);
        break;
    default:
        if (fork() == 0) { /* a child's child */
            line(1000 + i, 3);
            _exit(0);
        }
        while (wait(NULL) > 0)
            ;
        exit(0);
    }
}

static void *forking(void *arg)
{
    long n = (long)(intptr_t)arg;
    for (int i = 0; i < n; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            alarm(HANG_SECONDS);
            child(i);
        }
        if (pid < 0)
            exit(1);
        int status;
        while (i % 8 == 7 && waitpid(-1, &status, 0) > 0)
            if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL) {
                fprintf(stderr, "a child died of signal %d\n", WTERMSIG(status));
                exit(1);
            }
    }
    while (wait(NULL) > 0)
        ;
    return NULL;
}

/* Children of a thread, while eight others log. */
static int forks(long n)
{
    pthread_t ids[LOGGING], forker;
    start();
    start_logging(ids);
    if (pthread_create(&forker, NULL, forking, (void *)(intptr_t)n) != 0)
        return 1;
    pthread_join(forker, NULL);
    atomic_store(&stop, true);
    for (int i = 0; i < LOGGING; i++)
        pthread_join(ids[i], NULL);
    tell_counts();
    return finish("");
}

/* ---- the program's end ---- */

static void at_end(void)
{
    line(2, 0);
}

static void *late(void *unused)
{
    (void)unused;
    usleep(20000);
    for (long n = 0; n < 1000; n++)
        line(3, n);
    exit(rollway_logger_close(20000) != 0);
}

/* Logs 20,000 lines and ends in this way at once, while they are being written. */
static int ends(const char *how)
{
    pthread_t id;
    start();
    if (strcmp(how, "atexit") == 0)
        atexit(at_end);
    for (long n = 0; n < 20000; n++)
        line(1, n);
    if (strcmp(how, "_exit") == 0)
        _exit(0);
    if (strcmp(how, "abort") == 0)
        abort();
    if (strcmp(how, "sigterm") == 0)
        raise(SIGTERM);
    if (strcmp(how, "quick_exit") == 0)
        quick_exit(0);
    if (strcmp(how, "pthread_exit") == 0) {
        if (pthread_create(&id, NULL, late, NULL) != 0)
            return 1;
        pthread_exit(NULL);
    }
    if (strcmp(how, "flushing") == 0) { /* exit in the middle of another thread's logging */
        pthread_t ids[LOGGING];
        start_logging(ids);
        usleep(50000);
    }
    exit(0); /* and atexit */
}

/* ---- signals, callbacks, cancellation ---- */

static atomic_long in_handler;

static void on_signal(int number)
{
    (void)number;
    line(2, atomic_fetch_add(&in_handler, 1));
}

/* A handler that logs, every 200 microseconds, wherever the program is. */
static int signals(long n)
{
    start();
    struct sigaction sa = {.sa_handler = on_signal};
    struct itimerval every = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    if (sigaction(SIGALRM, &sa, NULL) || setitimer(ITIMER_REAL, &every, NULL))
        return 1;
    for (long i = 0; i < n; i++) {
        line(1, i);
        rollway_infof("number %s t=1", "again");
        if (i % 1000 == 0)
            (void)rollway_logger_flush(1000);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    char said[64];
    snprintf(said, sizeof(said), " handler %ld", atomic_load(&in_handler));
    return finish(said);
}

static atomic_long called;

static int callback(void *arg, const struct rollway_event *event)
{
    char value[32];
    const char *key;
    (void)arg;
    if (rollway_event_field(event, 0, &key, value, sizeof(value)) && key && strcmp(value, "1") == 0)
        line(2, atomic_fetch_add(&called, 1));
    return 0;
}

/* A callback that logs itself, one line for each of the program's. */
static int reentrant(long n)
{
    if (rollway_logger_add_callback("again", callback, NULL))
        return 1;
    start();
    for (long i = 0; i < n; i++)
        line(1, i);
    (void)rollway_logger_flush(10000);
    (void)rollway_logger_flush(10000);
    char said[64];
    snprintf(said, sizeof(said), " callback %ld", atomic_load(&called));
    return finish(said);
}

static void *until_cancelled(void *arg)
{
    atomic_long *count = arg;
    int t = 100 + (int)(count - counts);
    for (;;) {
        line(t, atomic_load(count));
        atomic_fetch_add(count, 1);
        pthread_testcancel();
    }
    return NULL;
}

/* Threads that are cancelled while they log, with calls that wait for room, too. */
static int cancelled(long n)
{
    start();
    for (long i = 0; i < n; i++) {
        pthread_t ids[LOGGING];
        for (int j = 0; j < LOGGING; j++)
            if (pthread_create(&ids[j], NULL, until_cancelled, &counts[j]) != 0)
                return 1;
        usleep(3000);
        for (int j = 0; j < LOGGING; j++) {
            pthread_cancel(ids[j]);
            pthread_join(ids[j], NULL);
        }
    }
    tell_counts();
    return finish("");
}

/* ---- starts and ends ---- */

/* One call site that all starts share, and one that each 255th uses. */
static int restarts(long n)
{
    long early = 0;
    int open_early = 0;
    for (long i = 0; i < n; i++) {
        start();
        line(1, i);
        if (i % 255 == 0)
            rollway_info("number", "t", 2, "n", i / 255);
        if (rollway_logger_close(10000) != 0)
            return 1;
        if (i == 100) {
            early = resident();
            open_early = descriptors();
        }
    }
    long late_kib = resident();
    int more = descriptors() - open_early;
    printf("early_kib %ld late_kib %ld more_descriptors %d\n", early, late_kib, more);
    return 0;
}

/* Before start, after close, closed twice; flush and reload where nothing runs. */
static int outside(void)
{
    rollway_warn("number", "t", 8, "n", 0);
    rollway_logger_reopen();
    if (rollway_logger_flush(100) || rollway_logger_close(100) || !rollway_logger_reload())
        return 1;
    start();
    line(1, 0);
    if (rollway_logger_close(5000) || rollway_logger_close(5000))
        return 1;
    rollway_warn("number", "t", 8, "n", 1);
    rollway_info("number", "t", 8, "n", 2);
    start();
    line(1, 1);
    return finish("");
}

/* ---- steady ---- */

/* 1,000 lines a second for so many milliseconds: the longest call, in microseconds, too. */
static int steady(long ms)
{
    long longest = 0;
    long long from = now_ns();
    long n = 0;
    start();
    for (; now_ns() - from < ms * 1000000ll; n++) {
        long long before = now_ns();
        line(1, n);
        long took = (long)((now_ns() - before) / 1000);
        longest = took > longest ? took : longest;
        usleep(1000);
    }
    char said[64];
    snprintf(said, sizeof(said), " longest %ld n %ld", longest, n);
    return finish(said);
}

/* As fast as it goes. Nothing, for 0. */
static int burst(long n)
{
    start();
    for (long i = 0; i < n; i++)
        line(1, i);
    return finish("");
}

/* ---- everything at once, for long ---- */

static void *some_lines(void *arg)
{
    int t = (int)(intptr_t)arg;
    for (long n = 0; n < 300; n++) {
        rollway_to(rollway_logger_get(t % 2 ? "soak.odd" : "soak.even"), ROLLWAY_DEBUG, "number",
                   "t", t, "n", n, "text", "some text that makes the line longer");
        if (n % 100 == 0)
            rollway_warnf("line %ld of thread %d", n, t);
    }
    return NULL;
}

static void coming_and_going(int round)
{
    pthread_t ids[LOGGING];
    for (int i = 0; i < LOGGING; i++)
        if (pthread_create(&ids[i], NULL, some_lines, (void *)(intptr_t)(round * LOGGING + i)) != 0)
            exit(1);
    for (int i = 0; i < LOGGING; i++)
        pthread_join(ids[i], NULL);
}

static void a_child(int round)
{
    pid_t pid = fork();
    int status;
    if (pid == 0) {
        alarm(30);
        line(round, 0);
        _exit(round % 4 ? rollway_logger_close(2000) != 0 : 0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || WIFSIGNALED(status)) {
        fprintf(stderr, "a child failed\n");
        exit(1);
    }
}

static void one_round(int round)
{
    char text[4096];
    size_t n;
    coming_and_going(round);
    if (round % 7 == 0 && !getenv("LOG_FAULTS_FORKS"))
        a_child(round);
    if (round % 11 == 0 && rollway_logger_reload() != 0)
        fprintf(stderr, "reload: %s\n", rollway_logger_error());
    if (round % 3 == 0)
        rollway_logger_reopen();
    if (round % 5 == 0)
        (void)rollway_logger_set_level(round % 2 ? "soak.odd" : "soak", ROLLWAY_TRACE + round % 4);
    if (round % 13 == 0)
        (void)rollway_logger_switch(NULL, "some_lines", round % 3 - 1);
    (void)rollway_logger_memory("m", text, sizeof(text), &n);
    (void)rollway_context_set("round", round % 2 ? "odd" : NULL);
}

static int soak(long ms)
{
    long long from = now_ns();
    int round = 0;
    start();
    for (; now_ns() - from < ms * 1000000ll; round++) {
        one_round(round);
        usleep(20000);
    }
    char said[64];
    snprintf(said, sizeof(said), " rounds %d", round);
    return finish(said);
}

/* So few descriptors that not all that the settings name can be opened at once. */
static int descriptors_few(long n)
{
    struct rlimit r = {(rlim_t)n, (rlim_t)n};
    if (setrlimit(RLIMIT_NOFILE, &r))
        return 1;
    start();
    for (long i = 0; i < 1000; i++)
        line(1, i);
    return finish("");
}

/* ThreadSanitizer: exit() writes what there is and leaves the logger's threads alone, so that what other handlers of it log is written too. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "report_thread_leaks=0";
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(long n);
    } runs[] = {{"threads", threads},
                {"forks", forks},
                {"signals", signals},
                {"reentrant", reentrant},
                {"cancelled", cancelled},
                {"restarts", restarts},
                {"steady", steady},
                {"burst", burst},
                {"descriptors", descriptors_few},
                {"soak", soak}};
    if (argc < 3)
        return 2;
    settings = argv[2];
    const char *argument = argc > 3 ? argv[3] : "0";
    const char *seconds = getenv("LOG_FAULTS_SECONDS");
    if (strcmp(argv[1], "signals") != 0) /* they need SIGALRM themselves */
        alarm(seconds ? (unsigned)atoi(seconds) : HANG_SECONDS);
    if (strcmp(argv[1], "outside") == 0)
        return outside();
    if (strcmp(argv[1], "ends") == 0)
        return ends(argument);
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
        if (strcmp(argv[1], runs[i].name) == 0)
            return runs[i].run(atol(argument));
    return 2;
}
