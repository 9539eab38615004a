/*
 * The dictionary: what is known of call sites, in the shared file, so that it can be read after the process has died. A
 * site is registered by its first run: lock-free, without allocation, since that may be in a signal handler. Two threads
 * that are the first at once register it twice, which does no harm.
 */
#pragma once

#include <stdbool.h>
#include "logger/shared.h"
#include "rollway/logger.h"

enum { RW_LG_FIELDS = 16, RW_LG_PARTS = 40 };

/* A part of a printf format: text up to `at`, then one conversion. */
struct rw_lg_part {
    uint16_t text_at, text_n; /* in the format */
    uint16_t spec_at, spec_n; /* "%-5d"; 0: none, only text */
    uint8_t type;             /* ROLLWAY_T_*; 0: none */
    uint8_t plain;            /* no flags, width, precision: fast path */
    uint8_t stars;            /* int arguments before the value: bit 0 width, bit 1 precision */
    uint8_t length; /* of the argument: 'H' char, 'h' short, 0 int, 'l' 'q' long, 'L' long double */
};

/* In the dictionary; strings are NUL-terminated, one behind the other. */
struct rw_lg_site {
    uint32_t size, line;
    uint8_t level;
    uint8_t n_fields;  /* values of an entry; for a format: its arguments, stars included */
    uint8_t n_parts;   /* of a format; 0: fields */
    uint8_t formatted; /* a format whose caller formats: its one argument is the text */
    uint16_t types_at, parts_at, keys_at; /* from the start of this */
    uint16_t file_at, function_at, message_at;
};

static inline const uint8_t *rw_lg_site_types(const struct rw_lg_site *s)
{
    return (const uint8_t *)s + s->types_at;
}
static inline const char *rw_lg_site_text(const struct rw_lg_site *s, uint16_t at)
{
    return (const char *)s + at;
}

/* For each value of an entry four bits: its type when the call must follow it to what it points to, else 0. */
uint64_t rw_lg_site_follow(const struct rw_lg_site *s);
/* Its id, in units of 8 bytes from the start of the dictionary; 0: no room. */
uint32_t rw_lg_site_register(struct rw_lg_map *m, const struct rollway_site *site);
/* Makes the head of its records ready, for calls that nothing is in the way of (quick.c); or none, when something is. After each
 * change of its id or its limits. */
void rw_lg_site_quicken(struct rollway_site *site);
/* Takes over a call site of another process. 0: no room. */
uint32_t rw_lg_site_adopt(struct rw_lg_map *m, const struct rw_lg_site *site);
/* What an id stands for that this process was given. */
static inline const struct rw_lg_site *rw_lg_site_own(const struct rw_lg_map *m, uint32_t id)
{
    return (const void *)(m->mem.p + rw_lg_header(m)->dictionary_at + (uint64_t)id * 8);
}
/* What an id stands for; NULL when it is none (a damaged file). */
const struct rw_lg_site *rw_lg_site_find(const struct rw_lg_map *m, uint32_t id);

/* Splits a printf format. Returns how many parts there are, at most `max`; 0: not a format that can be kept (%n, wide text,
 * positional arguments, too many): it is formatted by the caller then. *ret_args: how many arguments. */
unsigned rw_lg_format_parse(const char *format, struct rw_lg_part *parts, unsigned max,
                            unsigned *ret_args);
