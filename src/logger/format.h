/*
 * Formatters: one record to one line, its '\n' included. Pure: no allocation, no clock; what they remember (the last second's
 * text) lies in the formatter.
 */
#pragma once

#include "base/code.h"
#include "logger/view.h"

enum rw_lg_format_kind { RW_LG_LOGFMT, RW_LG_JSON, RW_LG_PATTERN, RW_LG_CUSTOM };

enum { RW_LG_PATTERN_PARTS = 32 };

struct rw_lg_pattern_part {
    char what;      /* the letter of the conversion; 0: text */
    uint16_t at, n; /* text, or the name in {} */
    int16_t width;  /* negative: left-justified */
    uint16_t most;  /* characters at most; 0: no limit */
};

struct rw_lg_format {
    enum rw_lg_format_kind kind;
    bool colour;    /* levels in colour, for terminals (logfmt and pattern) */
    bool site;      /* file, line and function too (logfmt and JSON) */
    bool thread;    /* and the thread */
    char text[256]; /* of a pattern */
    struct rw_lg_pattern_part parts[RW_LG_PATTERN_PARTS];
    unsigned n_parts;
    struct rw_lg_second second;
    rollway_formatter custom;
    void *custom_arg;
};

/* sink_callback.c. A formatter of the program; false: there is none of this name. */
bool rw_lg_formatter_find(const char *name, struct rw_lg_format *ret_format);
/*
 * "logfmt", "json", or a pattern: text with
 *   %d time (ISO 8601, UTC, microseconds)   %d{strftime; %f %L %N: parts of the second} %p level (%P upper case)   %c logger   %m message   %k fields as logfmt, with a
 *   blank before each   %X{key} one field    %t thread   %F file  %L line  %M function  %n newline   %% percent
 * with "%-20.30c" as in printf. A pattern without %n gets one at its end. RW_E_INVAL with words.
 */
RW_MUST int rw_lg_format_init(const char *text, struct rw_lg_format *ret_format,
                              struct rw_err *ret_err);
/* When o was too small, o->n says how much room is enough: exactly what it takes, or, of a pattern that pads or cuts, more. */
void rw_lg_format_line(struct rw_lg_format *f, struct rw_lg_out *o, const struct rw_lg_view *v);

void rw_lg_format_logfmt(struct rw_lg_format *f, struct rw_lg_out *o, const struct rw_lg_view *v);
void rw_lg_format_json(struct rw_lg_format *f, struct rw_lg_out *o, const struct rw_lg_view *v);
void rw_lg_format_pattern(struct rw_lg_format *f, struct rw_lg_out *o, const struct rw_lg_view *v);
/* One field, with a blank before it. */
void rw_lg_format_logfmt_field(struct rw_lg_out *o, const struct rw_lg_field *field);
/* Splits f->text. */
RW_MUST int rw_lg_format_pattern_init(struct rw_lg_format *f, struct rw_err *ret_err);

#define RW_LG_NO_COLOUR "\x1b[0m"
const char *rw_lg_level_colour(unsigned level);
/* In colour when the format wants it. */
void rw_lg_put_level(const struct rw_lg_format *f, struct rw_lg_out *o, unsigned level, bool upper);
