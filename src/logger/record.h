/*
 * One record as a call puts it into its ring. What the collector knows without being told (which ring, which thread, where) is left
 * out, so that a call writes two words besides its values. Bytes of the same machine: host byte order, 8-byte aligned.
 *
 *   head, 8 bytes, from the lowest bit on:
 *     14  size of all of it, in units of 8 bytes
 *      6  flags, as in entry.h: level, TRUNCATED, SUPPRESSED, SAMPLED
 *      1  CONTEXT: the thread's fields follow
 *      1  CONTROL: no record; its level says what: PAD, the next one begins where the ring begins; OWNER, what follows
 *         is of the thread whose id is in the next 8 bytes
 *     24  call site
 *     10  logger
 *      8  generation, of the logger that the call saw
 *   ticks, 8 bytes (clock.h)
 *   with CONTEXT: 8 bytes, how many bytes of context, and these
 *   values and texts, as in entry.h
 */
#pragma once

#include <stdbool.h>
#include <string.h>
#include "logger/entry.h"

enum {
    RW_LG_ID_BITS =
        24, /* a call site's id: its place in the dictionary, and above that its generation */
    RW_LG_FLAGS_AT = 14,
    RW_LG_SITE_AT = 22,
    RW_LG_LOGGER_AT = 46,
    RW_LG_GENERATION_AT = 56,
    RW_LG_RECORD = 16, /* bytes before values, without context */
    RW_LG_OWNER = 1    /* levels of CONTROL; 0 is a pad */
};
#define RW_LG_RECORD_UNITS   UINT64_C(0x3fff)
#define RW_LG_RECORD_CONTEXT (UINT64_C(1) << 20)
#define RW_LG_RECORD_CONTROL (UINT64_C(1) << 21)

/* `id` with its generation, `size` in bytes; a logger is or-ed to it. */
static inline uint64_t rw_lg_record_head(uint32_t id, unsigned flags, uint32_t size)
{
    return (uint64_t)(id >> RW_LG_ID_BITS) << RW_LG_GENERATION_AT |
           (uint64_t)(id & ((1u << RW_LG_ID_BITS) - 1)) << RW_LG_SITE_AT |
           (uint64_t)flags << RW_LG_FLAGS_AT | size / 8;
}

static inline uint32_t rw_lg_record_size(uint64_t head)
{
    return (uint32_t)(head & RW_LG_RECORD_UNITS) * 8;
}

static inline bool rw_lg_record_is_owner(uint64_t head)
{
    return head & RW_LG_RECORD_CONTROL && (head >> RW_LG_FLAGS_AT & RW_LG_LEVEL) == RW_LG_OWNER;
}

static inline unsigned rw_lg_record_level(uint64_t head)
{
    unsigned level = head >> RW_LG_FLAGS_AT & RW_LG_LEVEL;
    return level < 6 ? level : 5;
}

/* The bytes of the entry that a record becomes. */
static inline uint32_t rw_lg_record_entry_size(uint64_t head)
{
    uint32_t before = head & RW_LG_RECORD_CONTEXT ? RW_LG_RECORD + 8 : RW_LG_RECORD;
    return rw_lg_record_size(head) - before + (uint32_t)sizeof(struct rw_lg_entry);
}

/* Writes that entry; its time, in ticks, and its place are those of the record. The record is one of this process, or was checked. */
static inline void rw_lg_record_expand(const uint64_t *record, uint32_t thread, uint16_t ring,
                                       uint32_t place, struct rw_lg_entry *to)
{
    uint64_t head = record[0];
    const uint64_t *rest = record + 2;
    uint16_t context = 0;
    if (__builtin_expect((head & RW_LG_RECORD_CONTEXT) != 0, 0))
        context = (uint16_t)*rest++;
    uint32_t size = rw_lg_record_entry_size(head);
    *to = (struct rw_lg_entry){
        .size = size,
        .site = (uint32_t)(head >> RW_LG_SITE_AT) & ((1u << RW_LG_ID_BITS) - 1),
        .ticks = record[1],
        .place = place,
        .thread = thread,
        .logger = head >> RW_LG_LOGGER_AT & 1023,
        .ring = ring,
        .context = context,
        .flags = head >> RW_LG_FLAGS_AT & 63,
    };
    memcpy(to + 1, rest, size - sizeof(*to));
}
