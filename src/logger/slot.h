/*
 * A small record in a file of its own that is replaced often: two places that are written in turn, each with a checksum and a serial
 * number, so that one write(2) replaces it and what a crash tears is the older of the two. Host byte order: the file does
 * not leave the machine.
 */
#pragma once

#include <stdbool.h>
#include "env/env.h"

enum { RW_LG_SLOT = 512, RW_LG_SLOT_PAYLOAD = RW_LG_SLOT - 16 };

struct rw_lg_slot {
    struct rw_file *file; /* NULL: not open */
    uint64_t serial;      /* of the last record */
};

/* Opens or creates. *ret_found: the n bytes at `ret` are the last record (shorter ones are filled up with zeros). */
RW_MUST int rw_lg_slot_open(struct rw_lg_slot *s, const struct rw_env *env, const char *path,
                            void *ret, size_t n, bool *ret_found);
/* `sync`: it is on the disk when the call returns. */
RW_MUST int rw_lg_slot_store(struct rw_lg_slot *s, const void *p, size_t n, bool sync);
void rw_lg_slot_close(struct rw_lg_slot *s);
/* Reads what somebody else has stored. RW_E_NOT_FOUND. */
RW_MUST int rw_lg_slot_read(const struct rw_env *env, const char *path, void *ret, size_t n);
