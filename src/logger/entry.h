/*
 * One record as it lies in the journal, on its way to the appenders (in the rings: record.h). Bytes of the same machine: host byte
 * order, 8-byte aligned.
 *
 *   header, 32 bytes
 *   context, `context` bytes (a multiple of 8): fields of the thread, as text (context.h)
 *   values, 8 bytes for each field of the call site: the bits of a number; of text and bytes, the length, or
 *     RW_LG_NULL
 *   what text and bytes say, in the order of the fields, one behind the other
 *   zeros up to a multiple of 8
 *
 * A size with RW_LG_PAD is no record: the next one begins where the ring begins.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define RW_LG_PAD  0x80000000u
#define RW_LG_NULL UINT64_MAX

enum {
    RW_LG_ENTRY_MAX = 64 * 1024, /* what is longer is cut */
    RW_LG_LEVEL = 7,             /* flags: the level, and */
    RW_LG_TRUNCATED = 8,
    RW_LG_SUPPRESSED = 16, /* a value more than the site has fields: how many were held back */
    RW_LG_SAMPLED = 32     /* the same: one of how many this is */
};

struct rw_lg_entry {
    uint32_t size;   /* of all of it, or-ed with RW_LG_PAD */
    uint32_t site;   /* where it lies in the dictionary, in units of 8 bytes */
    uint64_t ticks;  /* Unix time in nanoseconds; clock.h, where it was just taken from a ring */
    uint32_t place;  /* in the ring, where it ended: in units of 8 bytes, modulo 2^32 */
    uint32_t thread; /* the system's id of it */
    uint16_t logger;
    uint16_t ring;
    uint16_t context;
    uint8_t flags;
    uint8_t
        skip; /* a bit for each appender that is to leave it out: it has written it before a kill (rescue.c) */
};

static inline unsigned rw_lg_entry_level(const struct rw_lg_entry *e)
{
    unsigned level = e->flags & RW_LG_LEVEL;
    return level < 6 ? level : 5;
}

static inline size_t rw_lg_align(size_t n)
{
    return (n + 7) & ~(size_t)7;
}
