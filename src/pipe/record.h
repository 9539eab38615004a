/*
 * A record as the pipe sees it after parsing: fields in the order of the line, each with a type. Names and values are views
 * into the line, or into the record's own memory where an escape had to be undone. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/code.h"
#include "base/slice.h"

/* More fields than this, or more memory, and the line is refused: RW_E_TOO_BIG. */
enum { RW_PIPE_FIELDS_MAX = 1024, RW_PIPE_MEMORY_MAX = 64 << 20 };

enum rw_pipe_kind {
    RW_PIPE_NULL,
    RW_PIPE_BOOL,   /* text: true or false */
    RW_PIPE_NUMBER, /* text: a number as JSON writes them, as it stood there */
    RW_PIPE_STRING,
    RW_PIPE_NESTED /* text: an object or array of JSON */
};

struct rw_pipe_value {
    enum rw_pipe_kind kind;
    struct rw_str text;
};

struct rw_pipe_field {
    struct rw_str name;
    struct rw_pipe_value value;
};

struct rw_pipe_record {
    struct rw_pipe_field *fields;
    size_t n, cap;
    struct rw_arena arena;
};

void rw_pipe_record_init(struct rw_pipe_record *r);
void rw_pipe_record_deinit(struct rw_pipe_record *r);
/* No fields; keeps the memory. */
void rw_pipe_record_clear(struct rw_pipe_record *r);
RW_MUST int rw_pipe_record_add(struct rw_pipe_record *r, struct rw_str name, enum rw_pipe_kind kind,
                               struct rw_str text);
/* The same for text that has no type of its own, as in key=value: a number, true, false, null or a string. */
RW_MUST int rw_pipe_record_add_bare(struct rw_pipe_record *r, struct rw_str name,
                                    struct rw_str text);

/*
 * The field of that name. "level", "time" and "message" also find what usually stands for them (lvl, severity, ts, @timestamp,
 * msg ...); "a.b" finds the member b of the object a. False: there is none.
 */
bool rw_pipe_record_get(struct rw_pipe_record *r, struct rw_str name,
                        struct rw_pipe_value *ret_value);
/* True when the name is one of those that stand for the level, or for the time. */
bool rw_pipe_is_level(struct rw_str name);
bool rw_pipe_is_time(struct rw_str name);

/* From trace (0) to fatal (8), by the names that loggers, syslog and their users have for them; -1: it is none. */
int rw_pipe_level(struct rw_str text);
bool rw_pipe_number(struct rw_str text, double *ret_number);
