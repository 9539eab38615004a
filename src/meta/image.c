/*
 * The image's memory and its look-ups. Does not change anything: apply.c does.
 */
#include "meta/image.h"

#include <stdlib.h>
#include "base/mem.h"
#include "meta/image_private.h"

void rw_meta_init(struct rw_meta *m)
{
    *m = (struct rw_meta){0};
}

static void free_partitions(struct rw_meta_topic *t)
{
    for (int32_t i = 0; i < t->n_partitions; i++) {
        rw_free(t->partitions[i].replicas);
        rw_free(t->partitions[i].isr);
    }
    rw_free(t->partitions);
}

void rw_meta_topic_free(struct rw_meta_topic *t)
{
    if (!t)
        return;
    free_partitions(t);
    for (size_t i = 0; i < t->n_configs; i++)
        rw_meta_pair_free(&t->configs[i]);
    rw_free(t->configs);
    rw_free(t->name);
    rw_free(t);
}

void rw_meta_broker_deinit(struct rw_meta_broker *b)
{
    rw_free(b->host);
    rw_free(b->rack);
}

void rw_meta_deinit(struct rw_meta *m)
{
    struct rw_meta_topic *t;
    size_t at = 0;
    while ((t = rw_map_next(&m->by_id, &at)))
        rw_meta_topic_free(t);
    rw_map_deinit(&m->by_id);
    rw_map_deinit(&m->by_name);
    rw_map_deinit(&m->by_folded);
    for (size_t i = 0; i < m->n_brokers; i++)
        rw_meta_broker_deinit(&m->brokers[i]);
    rw_free(m->brokers);
    for (size_t i = 0; i < m->n_broker_configs; i++) {
        for (size_t k = 0; k < m->broker_configs[i].n_configs; k++)
            rw_meta_pair_free(&m->broker_configs[i].configs[k]);
        rw_free(m->broker_configs[i].configs);
    }
    rw_free(m->broker_configs);
    rw_free(m->removed);
    *m = (struct rw_meta){0};
}

static bool has_name(const void *item, const void *key)
{
    const struct rw_meta_topic *t = item;
    const struct rw_str *name = key;
    return rw_str_is(*name, t->name);
}

static char folded(char c)
{
    return c == '.' ? '_' : c;
}

uint64_t rw_meta_folded_hash(struct rw_str name)
{
    char text[256];
    size_t n = 0;
    for (; n < sizeof(text) && (int32_t)n < name.n; n++)
        text[n] = folded(name.p[n]);
    return rw_hash(text, n);
}

static bool is_like(const void *item, const void *key)
{
    const struct rw_meta_topic *t = item;
    const struct rw_str *name = key;
    int32_t i = 0;
    while (i < name->n && t->name[i] && folded(t->name[i]) == folded(name->p[i]))
        i++;
    return i == name->n && !t->name[i];
}

static bool has_id(const void *item, const void *key)
{
    const struct rw_meta_topic *t = item;
    const struct rw_uuid *id = key;
    return rw_uuid_eq(t->id, *id);
}

struct rw_meta_topic *rw_meta_topic(const struct rw_meta *m, struct rw_str name)
{
    return name.n < 0 ? NULL : rw_map_get(&m->by_name, rw_hash_str(name), has_name, &name);
}

struct rw_meta_topic *rw_meta_topic_like(const struct rw_meta *m, struct rw_str name)
{
    return rw_map_get(&m->by_folded, rw_meta_folded_hash(name), is_like, &name);
}

struct rw_meta_topic *rw_meta_topic_by_id(const struct rw_meta *m, struct rw_uuid id)
{
    return rw_map_get(&m->by_id, rw_hash(id.b, sizeof(id.b)), has_id, &id);
}

bool rw_meta_was_removed(const struct rw_meta *m, struct rw_uuid id)
{
    for (size_t i = 0; i < m->n_removed; i++)
        if (rw_uuid_eq(m->removed[i], id))
            return true;
    return false;
}

void rw_meta_forget_removed(struct rw_meta *m, size_t keep)
{
    if (keep < m->n_removed)
        m->n_removed = keep;
    if (m->n_removed > 0)
        return;
    rw_free(m->removed);
    m->removed = NULL;
    m->cap_removed = 0;
}

const struct rw_meta_broker *rw_meta_broker(const struct rw_meta *m, int32_t id)
{
    for (size_t i = 0; i < m->n_brokers; i++)
        if (m->brokers[i].id == id)
            return &m->brokers[i];
    return NULL;
}

bool rw_meta_broker_name(struct rw_str name, int32_t *ret_id)
{
    int32_t id = 0;
    if (name.n == 0) {
        *ret_id = RW_META_ALL_BROKERS;
        return true;
    }
    for (int32_t i = 0; i < name.n; i++) {
        if (name.p[i] < '0' || name.p[i] > '9' || __builtin_mul_overflow(id, 10, &id) ||
            __builtin_add_overflow(id, name.p[i] - '0', &id))
            return false;
    }
    *ret_id = id;
    return name.n > 0;
}

const struct rw_meta_broker_configs *rw_meta_broker_configs(const struct rw_meta *m, int32_t id)
{
    for (size_t i = 0; i < m->n_broker_configs; i++)
        if (m->broker_configs[i].id == id)
            return &m->broker_configs[i];
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    const struct rw_meta_topic *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

struct rw_meta_topic **rw_meta_topics(const struct rw_meta *m, struct rw_arena *arena,
                                      size_t *ret_n)
{
    *ret_n = m->by_id.n;
    if (*ret_n == 0)
        return NULL;
    struct rw_meta_topic **list = rw_arena_array(arena, *ret_n, sizeof(*list));
    size_t n = 0, at = 0;
    struct rw_meta_topic *t;
    while (list && (t = rw_map_next(&m->by_id, &at)))
        list[n++] = t;
    if (list)
        qsort(list, n, sizeof(*list), by_name);
    return list;
}
