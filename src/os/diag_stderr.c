/*
 * Where our own log lines go: a file descriptor, normally stderr.
 *
 * Invariants: a line is written by one write(2) under the mutex, so lines of threads never mix; a
 * message that repeats is held back and counted, and the count is told at the first line after its
 * window ended or when the sink is freed. Failing to write is not an error anybody could be told of.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/mem.h"
#include "os/os.h"
#include "os/parts.h"

/* Messages are told apart by a hash; two that collide share an allowance, which does no harm. */
#define REPEAT_SLOTS 128

struct repeat {
    const char *logger, *msg; /* static words: rw_diag() is called with literals */
    enum rw_level level;
    int64_t since_ms;
    uint32_t written, held;
};

struct stderr_diag {
    struct rw_diag diag; /* first: the interface */
    struct rw_os_diag_options options;
    struct rw_levels levels;
    pthread_mutex_t mutex;
    struct rw_buf line;
    int64_t next_sweep_ms;
    struct repeat repeats[REPEAT_SLOTS];
};

static void put(int fd, const void *p, size_t n)
{
    while (n > 0) {
        ssize_t r = write(fd, p, n);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return;
        p = (const char *)p + r;
        n -= (size_t)r;
    }
}

static void write_line(struct stderr_diag *s, int64_t now_ms, const struct rw_diag_line *line)
{
    static const char priorities[] = {'7', '7', '6', '4', '3', '2'}; /* syslog(3), by rw_level */
    rw_buf_clear(&s->line);
    if (s->options.priorities > 0)
        rw_buf_printf(&s->line, "<%c>", priorities[line->level]);
    rw_diag_format_line(&s->line, s->options.format, s->options.colour > 0, now_ms, s->options.node,
                        line);
    if (!s->line.failed)
        put(s->options.fd, s->line.p, s->line.n);
    else
        put(s->options.fd, line->msg, strlen(line->msg)); /* no memory: the bare words */
}

static void tell_held(struct stderr_diag *s, struct repeat *r, int64_t now_ms)
{
    if (r->held) {
        const struct rw_kv fields[] = {rw_kv_uint("repeated", r->held)};
        write_line(s, now_ms, &(struct rw_diag_line){r->level, r->logger, r->msg, fields, 1});
    }
    memset(r, 0, sizeof(*r));
}

static struct repeat *slot_of(struct stderr_diag *s, const struct rw_diag_line *line)
{
    uint64_t h = 14695981039346656037u;
    for (const char *c = line->msg; *c; c++)
        h = (h ^ (uint8_t)*c) * 1099511628211u;
    for (const char *c = line->logger; *c; c++)
        h = (h ^ (uint8_t)*c) * 1099511628211u;
    return &s->repeats[(h ^ (h >> 32)) % REPEAT_SLOTS];
}

/* Ends the windows that are over, at most once a second. */
static void sweep(struct stderr_diag *s, int64_t mono_ms, int64_t now_ms)
{
    if (mono_ms < s->next_sweep_ms)
        return;
    s->next_sweep_ms = mono_ms + 1000;
    for (size_t i = 0; i < REPEAT_SLOTS; i++)
        if (s->repeats[i].msg && mono_ms - s->repeats[i].since_ms >= RW_OS_DIAG_WINDOW_MS)
            tell_held(s, &s->repeats[i], now_ms);
}

static bool allowed(struct stderr_diag *s, int64_t mono_ms, const struct rw_diag_line *line)
{
    if (line->level == RW_FATAL)
        return true;
    struct repeat *r = slot_of(s, line);
    if (!r->msg)
        *r = (struct repeat){line->logger, line->msg, line->level, mono_ms, 0, 0};
    if (r->written >= RW_OS_DIAG_BURST) {
        r->held++;
        return false;
    }
    r->written++;
    return true;
}

static void diag_write(struct rw_diag *d, const struct rw_diag_line *line)
{
    struct stderr_diag *s = (struct stderr_diag *)d;
    int saved = errno; /* a log line must not change what its caller is about to look at */
    pthread_mutex_lock(&s->mutex);
    int64_t mono_ms = rw_mono_us(&rw_os_clock) / 1000, now_ms = rw_wall_ms(&rw_os_clock);
    sweep(s, mono_ms, now_ms);
    if (line->level >= rw_levels_of(&s->levels, line->logger) && allowed(s, mono_ms, line))
        write_line(s, now_ms, line);
    pthread_mutex_unlock(&s->mutex);
    errno = saved;
}

void rw_os_diag_options_init(struct rw_os_diag_options *o)
{
    *o = (struct rw_os_diag_options){.min_level = RW_INFO,
                                     .auto_format = true,
                                     .colour = -1,
                                     .node = -1,
                                     .priorities = -1,
                                     .fd = 2};
}

static bool wants_colour(const struct rw_os_diag_options *o)
{
    if (o->colour >= 0)
        return o->colour > 0;
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(o->fd) && (!no || !*no) && !(term && !strcmp(term, "dumb"));
}

/* systemd says which device and inode its journal is; somebody may have redirected us since. */
static bool is_journal(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;
    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && !fstat(fd, &st) &&
           st.st_dev == device && st.st_ino == inode;
}

void rw_os_diag_set_levels(struct rw_diag *d, const struct rw_levels *levels)
{
    struct stderr_diag *s = (struct stderr_diag *)d;
    pthread_mutex_lock(&s->mutex);
    s->levels = *levels;
    __atomic_store_n(&d->min_level, levels->least, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&s->mutex);
}

int rw_os_diag_new(const struct rw_os_diag_options *options, struct rw_diag **ret_diag)
{
    struct stderr_diag *s = rw_zalloc(sizeof(*s));
    if (!s)
        return RW_E_NOMEM;
    s->diag = (struct rw_diag){.write = diag_write, .min_level = options->min_level};
    s->options = *options;
    s->levels = (struct rw_levels){.other = options->min_level, .least = options->min_level};
    if (options->priorities < 0)
        s->options.priorities = is_journal(options->fd);
    if (options->auto_format)
        s->options.format = isatty(options->fd) ? RW_DIAG_TEXT : RW_DIAG_JSON;
    s->options.colour = s->options.format == RW_DIAG_TEXT && wants_colour(options);
    rw_buf_init(&s->line);
    int r = pthread_mutex_init(&s->mutex, NULL);
    RW_ASSERT(r == 0);
    *ret_diag = &s->diag;
    return RW_OK;
}

void rw_os_diag_free(struct rw_diag *d)
{
    struct stderr_diag *s = (struct stderr_diag *)d;
    if (!s)
        return;
    for (size_t i = 0; i < REPEAT_SLOTS; i++)
        if (s->repeats[i].msg)
            tell_held(s, &s->repeats[i], rw_wall_ms(&rw_os_clock));
    rw_buf_deinit(&s->line);
    pthread_mutex_destroy(&s->mutex);
    rw_free(s);
}

/* No memory, no stdio, no lock: the program may be in any state when an assertion fails. */
static void say_assert(const char *expr, const char *file, int line, const char *func)
{
    char number[16];
    size_t at = sizeof(number);
    number[--at] = '\0';
    for (unsigned v = (unsigned)line; v || at == sizeof(number) - 1; v /= 10)
        number[--at] = (char)('0' + v % 10);
    const char *const parts[] = {
        "rollway: assertion failed: ", expr, " (", func, ", ", file, ":", number + at, ")\n"};
    char text[1024];
    size_t n = 0;
    for (size_t i = 0; i < RW_COUNT(parts); i++) {
        size_t len = strlen(parts[i]);
        if (len > sizeof(text) - n)
            len = sizeof(text) - n;
        memcpy(text + n, parts[i], len);
        n += len;
    }
    put(STDERR_FILENO, text, n);
}

void rw_os_assert_to_stderr(void)
{
    rw_assert_hook = say_assert;
}
