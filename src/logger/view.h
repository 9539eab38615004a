/*
 * A record as formatters see it: decoded, but with all text still where it lay. Made from an entry and its call site
 * (view.c), or from a call itself when nothing runs (direct.c).
 */
#pragma once

#include "logger/entry.h"
#include "logger/out.h"
#include "logger/site.h"

enum { RW_LG_CONTEXT_FIELDS = 8, RW_LG_VIEW_FIELDS = RW_LG_FIELDS + RW_LG_CONTEXT_FIELDS + 2 };

struct rw_lg_value {
    uint8_t type; /* ROLLWAY_T_*; CSTR, TEXT and BYTES: p and n; p NULL is null */
    uint64_t bits;
    const char *p;
    size_t n;
};

/* A key that was made ready for lines; p, and nothing else, is NUL-terminated. */
struct rw_lg_key {
    const char *p;      /* as it is in the source */
    const char *json;   /* ,"key": with '_' behind a key that the line has itself */
    const char *logfmt; /* the same, " key=" */
    uint16_t n, json_n, logfmt_n;
    uint8_t type; /* of the field */
};

struct rw_lg_field {
    const char *key;
    size_t key_n;
    const struct rw_lg_key *ready; /* NULL: nobody has */
    struct rw_lg_value value;
};

struct rw_lg_view {
    int64_t time_ns;
    uint8_t level;
    const char *logger; /* "" is the default one */
    size_t logger_n;
    const char *message; /* the format, when n_parts > 0 */
    size_t message_n;
    const char *file, *function;
    uint32_t line, thread;
    const struct rw_lg_known *known; /* where message and keys come from; NULL: nothing is ready */
    const struct rw_lg_part *parts;  /* of a format; its arguments are `args` */
    unsigned n_parts;
    unsigned n_fields;
    struct rw_lg_field fields
        [RW_LG_VIEW_FIELDS]; /* context first, then the call's, then "suppressed" or "sample", "truncated" */
    unsigned n_args;
    struct rw_lg_value args[RW_LG_FIELDS];
};

/* A call site as the appenders know it: checked, measured and escaped once. */
struct rw_lg_known {
    const struct rw_lg_site *site;
    const char *message, *file, *function;
    size_t message_n;
    const char *json,
        *logfmt; /* the message, quoted where the line wants it so; NULL for a format */
    size_t json_n, logfmt_n;
    uint8_t types[RW_LG_FIELDS];
    struct rw_lg_key keys[]; /* n_fields of the site; none of a format */
};
/* What the appenders know, by id. Not thread-safe: each thread has its own. */
struct rw_lg_knowledge {
    const struct rw_lg_map *map;
    struct rw_lg_known **by_id; /* open addressing; NULL when free */
    uint32_t *ids;
    size_t n, cap;
};
void rw_lg_knowledge_deinit(struct rw_lg_knowledge *k);
/* known.c. NULL: there is no such site, it is damaged, or no memory. Valid until the next call. */
const struct rw_lg_known *rw_lg_know(struct rw_lg_knowledge *k, uint32_t id);

/* Decodes an entry that lies complete in memory; texts of *ret_view point into it and into the dictionary. False: the entry or its
 * site is damaged (only in a file that was left behind), or no memory. */
bool rw_lg_view(struct rw_lg_knowledge *k, const struct rw_lg_entry *e, int64_t time_ns,
                struct rw_lg_view *ret_view);

/* The message alone, formatted (printf) or as it is; message.c. */
void rw_lg_put_message(struct rw_lg_out *o, const struct rw_lg_view *v);
/* The same, escaped on its way. */
void rw_lg_put_message_as(struct rw_lg_out *o, const struct rw_lg_view *v,
                          enum rw_lg_escape escape);
/* A value as plain text, unescaped (bytes as hexadecimal digits, errno as its words). */
void rw_lg_put_value(struct rw_lg_out *o, const struct rw_lg_value *v);
/* The words for an errno, without the locale. NULL: it is none. */
const char *rw_lg_errno_words(uint64_t bits);
void rw_lg_put_errno(struct rw_lg_out *o, uint64_t bits);
/* Whether a line has this key itself (the message is called "message" or "msg"), so that a field of this name gets a '_'. */
bool rw_lg_key_taken(const char *key, size_t n, const char *message_key);
/* "trace" ... "fatal". */
const char *rw_lg_level_name(unsigned level);
static inline size_t rw_lg_level_length(unsigned level)
{
    return level == ROLLWAY_INFO || level == ROLLWAY_WARN ? 4 : level < RW_LG_LEVELS ? 5 : 3;
}
