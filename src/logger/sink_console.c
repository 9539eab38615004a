/*
 * Lines to standard output or standard error. A terminal that was stopped (^S) or a pipe that nobody reads holds the appender up for
 * `timeout` and no longer; it tries again later. Colour is the formatter's business (format.h), and launch.c decides about it.
 */
#include <string.h>
#include "base/mem.h"
#include "logger/sink.h"
#include "logger/sink_set.h"
#include "os/console.h"

enum { TIMEOUT_MS = 1000 };

struct console {
    struct rw_lg_sink sink;
    int fd;
    int64_t timeout_ms;
    size_t torn; /* of the first line of what comes next, so much is out already */
};

static int set(struct rw_lg_sink *s, struct rw_str key, struct rw_str v, struct rw_err *err)
{
    struct console *c = (struct console *)s;
    if (rw_str_is(key, "stream")) {
        if (!rw_str_is(v, "stdout") && !rw_str_is(v, "stderr"))
            return rw_err_set(err, RW_E_INVAL, "stream: stdout or stderr");
        c->fd = rw_str_is(v, "stdout") ? 1 : 2;
        return RW_OK;
    }
    if (rw_str_is(key, "timeout"))
        return rw_lg_set_ms(key, v, &c->timeout_ms, err);
    return RW_E_NOT_FOUND;
}

static int open_sink(struct rw_lg_sink *s, struct rw_err *err)
{
    (void)s, (void)err; /* it is open, or closed, as the process was started */
    return RW_OK;
}

/* What is out can not be taken back. So a line that was cut in two goes on where it was cut: it comes first the next time. */
static int write_chunk(struct rw_lg_sink *s, const struct rw_lg_chunk *chunk, size_t *ret_n)
{
    struct console *c = (struct console *)s;
    size_t skip = c->torn < chunk->n ? c->torn : 0, n;
    int64_t ms = c->timeout_ms < INT32_MAX ? c->timeout_ms : INT32_MAX;
    int rc = rw_os_console_write(c->fd, chunk->p + skip, chunk->n - skip, (int)ms, &n);
    n += skip;
    c->torn = 0;
    if (rc) {
        const char *line = n ? memrchr(chunk->p, '\n', n) : NULL;
        *ret_n = line ? (size_t)(line - chunk->p) + 1 : 0;
        c->torn = n - *ret_n;
        return rc;
    }
    *ret_n = n;
    return RW_OK;
}

static void free_sink(struct rw_lg_sink *s)
{
    rw_free(s);
}

static const struct rw_lg_sink_ops ops = {.type = "console",
                                          .lines = true,
                                          .set = set,
                                          .open = open_sink,
                                          .write = write_chunk,
                                          .free = free_sink};

struct rw_lg_sink *rw_lg_sink_console(void)
{
    struct console *c = rw_zalloc(sizeof(*c));
    if (!c)
        return NULL;
    c->sink.ops = &ops;
    c->fd = 2;
    c->timeout_ms = TIMEOUT_MS;
    return &c->sink;
}
