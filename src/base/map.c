/*
 * Hash table of pointers. Invariant: every item lies in the run of full slots that begins at its home
 * slot; removal shifts later items of the run back. Load is kept at or below 3/4.
 */
#include "base/map.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/mem.h"

void rw_map_deinit(struct rw_map *m)
{
    rw_free(m->slots);
    *m = (struct rw_map){0};
}

void *rw_map_get(const struct rw_map *m, uint64_t hash,
                 bool (*is)(const void *item, const void *key), const void *key)
{
    if (!m->cap)
        return NULL;
    for (size_t i = hash & (m->cap - 1); m->slots[i].item; i = (i + 1) & (m->cap - 1))
        if (m->slots[i].hash == hash && is(m->slots[i].item, key))
            return m->slots[i].item;
    return NULL;
}

static void place(struct rw_map *m, uint64_t hash, void *item)
{
    size_t i = hash & (m->cap - 1);
    while (m->slots[i].item)
        i = (i + 1) & (m->cap - 1);
    m->slots[i] = (struct rw_map_slot){hash, item};
}

int rw_map_reserve(struct rw_map *m)
{
    if (m->cap && (m->n + 1) * 4 <= m->cap * 3)
        return RW_OK;
    struct rw_map grown = {.cap = m->cap ? m->cap * 2 : 8, .n = m->n};
    grown.slots = rw_zalloc(grown.cap * sizeof(*grown.slots));
    if (!grown.slots)
        return RW_E_NOMEM;
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].item)
            place(&grown, m->slots[i].hash, m->slots[i].item);
    rw_free(m->slots);
    *m = grown;
    return RW_OK;
}

int rw_map_put(struct rw_map *m, uint64_t hash, void *item)
{
    RW_ASSERT(item);
    int rc = rw_map_reserve(m);
    if (rc)
        return rc;
    place(m, hash, item);
    m->n++;
    return RW_OK;
}

void rw_map_remove(struct rw_map *m, uint64_t hash, const void *item)
{
    if (!m->cap)
        return;
    size_t mask = m->cap - 1, hole = hash & mask;
    while (m->slots[hole].item && m->slots[hole].item != item)
        hole = (hole + 1) & mask;
    if (!m->slots[hole].item)
        return;
    /* Move back every later item of the run whose home does not lie behind the hole. */
    for (size_t i = (hole + 1) & mask; m->slots[i].item; i = (i + 1) & mask) {
        size_t home = m->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct rw_map_slot){0};
    m->n--;
}

void *rw_map_next(const struct rw_map *m, size_t *at)
{
    while (*at < m->cap) {
        void *item = m->slots[(*at)++].item;
        if (item)
            return item;
    }
    return NULL;
}

/* A multiplication per step, then the finisher of splitmix64, because the table uses the low bits. */
uint64_t rw_hash(const void *p, size_t n)
{
    const uint8_t *b = p;
    uint64_t h = 0xcbf29ce484222325u ^ n;
    /* Eight bytes a step: most keys are topic ids. */
    for (; n >= 8; b += 8, n -= 8) {
        h = (h ^ rw_load_be64(b)) * 0xbf58476d1ce4e5b9u;
        h ^= h >> 32;
    }
    for (size_t i = 0; i < n; i++)
        h = (h ^ b[i]) * 0x100000001b3u;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    return h ^ (h >> 31);
}
