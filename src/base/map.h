/*
 * Hash table of pointers: open addressing, linear probing, removal without tombstones. The caller
 * computes hashes and compares items, so one implementation serves every kind of key. Items are not
 * owned. Not thread-safe. Iteration order is that of the slots: never let it reach anything that
 * must be the same on two machines.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/code.h"
#include "base/slice.h"

struct rw_map_slot {
    uint64_t hash;
    void *item; /* NULL: empty */
};

struct rw_map {
    struct rw_map_slot *slots;
    size_t cap; /* a power of two, or 0 */
    size_t n;
};

/* All zero is an empty map. */
void rw_map_deinit(struct rw_map *m);
/* The item of that hash for which is(item, key) holds; NULL. */
void *rw_map_get(const struct rw_map *m, uint64_t hash,
                 bool (*is)(const void *item, const void *key), const void *key);
/* Room for one more item, so that the next put can not fail. */
RW_MUST int rw_map_reserve(struct rw_map *m);
/* The item must not be in it yet. RW_E_NOMEM. */
RW_MUST int rw_map_put(struct rw_map *m, uint64_t hash, void *item);
/* Removes that very item; nothing happens when it is not there. */
void rw_map_remove(struct rw_map *m, uint64_t hash, const void *item);
/* Walks all items: start with *at = 0, NULL ends. No put or remove in between. */
void *rw_map_next(const struct rw_map *m, size_t *at);

/* A good hash for bytes (not against attackers who choose keys). Stable across builds. */
uint64_t rw_hash(const void *p, size_t n);
static inline uint64_t rw_hash_str(struct rw_str s)
{
    return rw_hash(s.p, s.n > 0 ? (size_t)s.n : 0);
}
