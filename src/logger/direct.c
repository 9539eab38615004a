/*
 * Logging while nothing runs: before start, after close, or when the start failed. WARN and above go to standard error at once, in logfmt;
 * what is below is dropped and counted. No lock, no allocation: it works in signal handlers, too.
 */
#include <string.h>
#include "logger/engine.h"
#include "logger/format.h"
#include "os/task.h"
#include "os/ticks.h"

enum { LINE_MAX_BYTES = 4096 };

static struct rw_lg_value value_of(unsigned type, unsigned long long bits)
{
    struct rw_lg_value v = {.type = (uint8_t)type, .bits = (uint64_t)bits};
    const void *p = (const void *)(uintptr_t)bits;
    if (type == ROLLWAY_T_CSTR_ && p) {
        v.p = p;
        v.n = strnlen(p, LINE_MAX_BYTES);
    } else if (type == ROLLWAY_T_TEXT_ && p) {
        v.p = ((const struct rollway_text *)p)->p;
        v.n = ((const struct rollway_text *)p)->n;
    } else if (type == ROLLWAY_T_BYTES_ && p) {
        v.p = ((const struct rollway_bytes *)p)->p;
        v.n = ((const struct rollway_bytes *)p)->n;
    } else if (type == ROLLWAY_T_FLOAT_) {
        v.type = ROLLWAY_T_DOUBLE_;
        v.bits = rw_lg_float_bits(v.bits);
    } else if (type == ROLLWAY_T_ERRNO_ && p) {
        v.bits = (uint64_t)((const struct rollway_errno *)p)->value;
    }
    return v;
}

static bool begin(const struct rollway_site *site, const struct rollway_logger *logger,
                  struct rw_lg_view *v)
{
    /* A call site that has never run takes everything: its logger has not been asked yet. */
    if (site->level < __atomic_load_n(&logger->level, __ATOMIC_RELAXED))
        return false;
    if (site->level < ROLLWAY_WARN) {
        atomic_fetch_add(&rw_lg_counts.dropped[site->level], 1);
        return false;
    }
    v->time_ns = rw_os_wall_ns();
    v->level = site->level;
    v->logger = logger->name;
    v->logger_n = strlen(logger->name);
    v->message = site->message;
    v->message_n = strlen(site->message);
    v->file = site->file;
    v->function = site->function;
    v->line = site->line;
    v->thread = rw_os_task_id();
    v->known = NULL;
    v->parts = NULL;
    v->n_parts = v->n_fields = v->n_args = 0;
    return true;
}

/* A line that is too long ends where the room ends. */
static void write_line(const struct rw_lg_view *v)
{
    char line[LINE_MAX_BYTES];
    struct rw_lg_format format = {.kind = RW_LG_LOGFMT};
    struct rw_lg_out o = {.p = line, .cap = sizeof(line)};
    rw_lg_format_logfmt(&format, &o, v);
    if (o.n > o.cap) {
        o.n = o.cap;
        line[o.n - 1] = '\n';
    }
    rw_os_write_stderr(line, o.n);
}

void rw_lg_direct(const struct rollway_site *site, const struct rollway_logger *logger,
                  const unsigned long long *values)
{
    struct rw_lg_view v;
    if (!begin(site, logger, &v))
        return;
    for (; v.n_fields < site->n_fields; v.n_fields++) {
        const struct rollway_site_field *f = &site->fields[v.n_fields];
        v.fields[v.n_fields] = (struct rw_lg_field){
            .key = f->key, .key_n = strlen(f->key), .value = value_of(f->type, values[v.n_fields])};
    }
    write_line(&v);
}

void rw_lg_direct_text(const struct rollway_site *site, const struct rollway_logger *logger,
                       const char *message, size_t n)
{
    struct rw_lg_view v;
    if (!begin(site, logger, &v))
        return;
    v.message = message;
    v.message_n = n;
    write_line(&v);
}
