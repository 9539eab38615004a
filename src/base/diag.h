/*
 * Diagnostics: our own log lines (what the broker or library has to say to its operator), never the
 * commit log. A line is a level, a logger (the part that speaks), a fixed message and typed fields. base/ builds and
 * formats lines; where they go is the sink's business (os/ writes to stderr, tests keep them).
 *
 *   rw_diag(env->diag, RW_WARN, "log", "truncated a torn batch",
 *           rw_kv_str("dir", dir), rw_kv_int("offset", offset));
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

enum rw_level { RW_TRACE, RW_DEBUG, RW_INFO, RW_WARN, RW_ERROR, RW_FATAL };

struct rw_kv {
    const char *key; /* NULL ends a list */
    enum { RW_KV_STR, RW_KV_INT, RW_KV_UINT, RW_KV_DOUBLE, RW_KV_BOOL, RW_KV_CODE } kind;
    union {
        const char *s;
        int64_t i;
        uint64_t u;
        double d;
    } v;
};

static inline struct rw_kv rw_kv_str(const char *key, const char *v)
{
    return (struct rw_kv){key, RW_KV_STR, {.s = v ? v : ""}};
}
static inline struct rw_kv rw_kv_int(const char *key, int64_t v)
{
    return (struct rw_kv){key, RW_KV_INT, {.i = v}};
}
static inline struct rw_kv rw_kv_uint(const char *key, uint64_t v)
{
    return (struct rw_kv){key, RW_KV_UINT, {.u = v}};
}
static inline struct rw_kv rw_kv_double(const char *key, double v)
{
    return (struct rw_kv){key, RW_KV_DOUBLE, {.d = v}};
}
static inline struct rw_kv rw_kv_bool(const char *key, bool v)
{
    return (struct rw_kv){key, RW_KV_BOOL, {.i = v}};
}
/* Printed as the words of rw_code_text(). */
static inline struct rw_kv rw_kv_code(const char *key, int code)
{
    return (struct rw_kv){key, RW_KV_CODE, {.i = code}};
}

struct rw_diag_line {
    enum rw_level level;
    const char *logger;
    const char *msg;
    const struct rw_kv *fields; /* n_fields of them */
    size_t n_fields;
};

struct rw_diag {
    /* Must be thread-safe. The line is only valid during the call. */
    void (*write)(struct rw_diag *d, const struct rw_diag_line *line);
    enum rw_level min_level; /* may be changed at run time: atomically */
};

/* d may be NULL (silence). */
#define rw_diag(d, level, logger, msg, ...)                                                        \
    do {                                                                                           \
        struct rw_diag *rw_diag_d_ = (d);                                                          \
        if (rw_diag_d_ && (level) >= __atomic_load_n(&rw_diag_d_->min_level, __ATOMIC_RELAXED)) {  \
            const struct rw_kv rw_diag_kv_[] = {__VA_ARGS__ __VA_OPT__(, ){0}};                    \
            const struct rw_diag_line rw_diag_line_ = {                                            \
                (level), (logger), (msg), rw_diag_kv_,                                             \
                sizeof(rw_diag_kv_) / sizeof(rw_diag_kv_[0]) - 1};                                 \
            rw_diag_d_->write(rw_diag_d_, &rw_diag_line_);                                         \
        }                                                                                          \
    } while (0)

enum rw_diag_format { RW_DIAG_TEXT, RW_DIAG_LOGFMT, RW_DIAG_JSON };

const char *rw_level_name(enum rw_level level);
/* "warn" -> RW_WARN; false when unknown. */
bool rw_level_parse(const char *name, enum rw_level *ret_level);
/* Appends one line with its final newline. now_ms: Unix time in milliseconds. `node` < 0 leaves the
 * node field out. */
void rw_diag_format_line(struct rw_buf *out, enum rw_diag_format format, bool colour,
                         int64_t now_ms, int node, const struct rw_diag_line *line);
