/*
 * The only code that changes the image. Used live, after a record was committed, and at replay; it
 * judges nothing (decide_*.c did, when the record was made), so it can not refuse a record. Unknown
 * topics in a record mean that a later record removed them: nothing is done.
 */
#include "base/assert.h"
#include "meta/image_private.h"
#include "wire/messages.h"

void rw_meta_delta_deinit(struct rw_meta_delta *d)
{
    rw_free(d->changes);
    *d = (struct rw_meta_delta){0};
}

static int note(struct rw_meta_delta *d, enum rw_meta_change_kind kind, struct rw_uuid id,
                int32_t partition)
{
    if (!d)
        return RW_OK;
    struct rw_meta_change *grown = rw_array_grow(d->changes, d->n, &d->cap, sizeof(*grown));
    if (!grown)
        return RW_E_NOMEM;
    d->changes = grown;
    d->changes[d->n++] = (struct rw_meta_change){kind, id, partition};
    return RW_OK;
}

/* NUL-terminated copy of a string that is not null. */
static char *copy_str(struct rw_str s)
{
    char *p = rw_alloc((size_t)s.n + 1);
    if (p) {
        memcpy(p, s.p, (size_t)s.n);
        p[s.n] = 0;
    }
    return p;
}

static int apply_topic(struct rw_meta *meta, const struct rw_topic_record *r,
                       struct rw_meta_delta *delta)
{
    if (rw_meta_topic_by_id(meta, r->topic_id))
        return RW_OK;
    struct rw_meta_topic *t = rw_zalloc(sizeof(*t));
    if (!t)
        return RW_E_NOMEM;
    t->id = r->topic_id;
    t->name = copy_str(r->name);
    if (!t->name || rw_map_reserve(&meta->by_name) || rw_map_reserve(&meta->by_folded) ||
        rw_map_put(&meta->by_id, rw_hash(t->id.b, sizeof(t->id.b)), t)) {
        rw_meta_topic_free(t);
        return RW_E_NOMEM;
    }
    int rc = rw_map_put(&meta->by_name, rw_hash_str(r->name), t);
    int rc2 = rw_map_put(&meta->by_folded, rw_meta_folded_hash(r->name), t);
    RW_ASSERT(rc == RW_OK && rc2 == RW_OK); /* reserved above */
    return note(delta, RW_META_TOPIC_CREATED, t->id, -1);
}

static int set_ids(int32_t **into, int32_t *n_into, const int32_t *ids, int32_t n)
{
    int32_t *copy = NULL;
    if (n > 0) {
        copy = rw_memdup(ids, (size_t)n * sizeof(*ids));
        if (!copy)
            return RW_E_NOMEM;
    }
    rw_free(*into);
    *into = copy;
    *n_into = n > 0 ? n : 0;
    return RW_OK;
}

static int grow_partitions(struct rw_meta *meta, struct rw_meta_topic *t, int32_t n)
{
    struct rw_meta_partition *grown =
        rw_realloc_array(t->partitions, (size_t)n, sizeof(*t->partitions));
    if (!grown)
        return RW_E_NOMEM;
    t->partitions = grown;
    meta->n_partitions += (size_t)(n - t->n_partitions);
    for (; t->n_partitions < n; t->n_partitions++)
        grown[t->n_partitions] =
            (struct rw_meta_partition){.leader = RW_META_NO_LEADER, .leader_epoch = -1};
    return RW_OK;
}

static int apply_partition(struct rw_meta *meta, const struct rw_partition_record *r,
                           struct rw_meta_delta *delta)
{
    struct rw_meta_topic *t = rw_meta_topic_by_id(meta, r->topic_id);
    if (!t || r->partition_id < 0)
        return RW_OK;
    bool is_new = r->partition_id >= t->n_partitions;
    if (is_new && grow_partitions(meta, t, r->partition_id + 1))
        return RW_E_NOMEM;
    struct rw_meta_partition *p = &t->partitions[r->partition_id];
    p->leader = r->leader;
    p->leader_epoch = r->leader_epoch;
    p->partition_epoch = r->partition_epoch;
    if (set_ids(&p->replicas, &p->n_replicas, r->replicas, r->n_replicas) ||
        set_ids(&p->isr, &p->n_isr, r->isr, r->n_isr))
        return RW_E_NOMEM;
    return is_new ? note(delta, RW_META_PARTITION_CREATED, t->id, r->partition_id) : RW_OK;
}

static int apply_partition_change(struct rw_meta *meta, const struct rw_partition_change_record *r)
{
    struct rw_meta_topic *t = rw_meta_topic_by_id(meta, r->topic_id);
    if (!t || r->partition_id < 0 || r->partition_id >= t->n_partitions)
        return RW_OK;
    struct rw_meta_partition *p = &t->partitions[r->partition_id];
    p->partition_epoch++;
    if (r->leader != -2) {
        p->leader = r->leader;
        p->leader_epoch++;
    }
    if (r->n_replicas >= 0 && set_ids(&p->replicas, &p->n_replicas, r->replicas, r->n_replicas))
        return RW_E_NOMEM;
    return r->n_isr >= 0 ? set_ids(&p->isr, &p->n_isr, r->isr, r->n_isr) : RW_OK;
}

static int make_pair(struct rw_str name, struct rw_str value, struct rw_pair *ret_pair)
{
    char *both = rw_alloc((size_t)name.n + (size_t)value.n + 1);
    if (!both)
        return RW_E_NOMEM;
    memcpy(both, name.p, (size_t)name.n);
    memcpy(both + name.n, value.p, (size_t)value.n);
    *ret_pair = (struct rw_pair){{both, name.n}, {both + name.n, value.n}};
    return RW_OK;
}

static int set_config(struct rw_pair **configs, size_t *n, struct rw_str name, struct rw_str value)
{
    struct rw_pair made = {RW_STR_NULL, RW_STR_NULL};
    size_t i = 0;
    while (i < *n && !rw_str_eq((*configs)[i].name, name))
        i++;
    if (value.n >= 0 && make_pair(name, value, &made))
        return RW_E_NOMEM;
    if (i < *n) {
        rw_meta_pair_free(&(*configs)[i]);
        if (value.n >= 0)
            (*configs)[i] = made;
        else
            memmove(&(*configs)[i], &(*configs)[i + 1], (--*n - i) * sizeof(**configs));
        return RW_OK;
    }
    if (value.n < 0)
        return RW_OK;
    struct rw_pair *grown = rw_realloc_array(*configs, *n + 1, sizeof(*grown));
    if (!grown) {
        rw_meta_pair_free(&made);
        return RW_E_NOMEM;
    }
    *configs = grown;
    (*configs)[(*n)++] = made;
    return RW_OK;
}

/* NULL: no memory. */
static struct rw_meta_broker_configs *configs_of_broker(struct rw_meta *meta, int32_t id)
{
    for (size_t i = 0; i < meta->n_broker_configs; i++)
        if (meta->broker_configs[i].id == id)
            return &meta->broker_configs[i];
    struct rw_meta_broker_configs *grown =
        rw_realloc_array(meta->broker_configs, meta->n_broker_configs + 1, sizeof(*grown));
    if (!grown)
        return NULL;
    meta->broker_configs = grown;
    grown[meta->n_broker_configs] = (struct rw_meta_broker_configs){.id = id};
    return &grown[meta->n_broker_configs++];
}

static int apply_config(struct rw_meta *meta, const struct rw_config_record *r,
                        struct rw_meta_delta *delta)
{
    int32_t id;
    if (r->resource_type == RW_RESOURCE_BROKER && rw_meta_broker_name(r->resource_name, &id)) {
        struct rw_meta_broker_configs *b = configs_of_broker(meta, id);
        int rc = b ? set_config(&b->configs, &b->n_configs, r->name, r->value) : (int)RW_E_NOMEM;
        return rc ? rc : note(delta, RW_META_BROKERS_CONFIGURED, (struct rw_uuid){0}, -1);
    }
    struct rw_meta_topic *t =
        r->resource_type == RW_RESOURCE_TOPIC ? rw_meta_topic(meta, r->resource_name) : NULL;
    if (!t)
        return RW_OK;
    int rc = set_config(&t->configs, &t->n_configs, r->name, r->value);
    return rc ? rc : note(delta, RW_META_TOPIC_CONFIGURED, t->id, -1);
}

static int note_removed(struct rw_meta *meta, struct rw_uuid id)
{
    if (meta->n_removed == meta->cap_removed) {
        size_t cap = meta->cap_removed ? meta->cap_removed * 2 : 8;
        struct rw_uuid *grown = rw_realloc_array(meta->removed, cap, sizeof(*grown));
        if (!grown)
            return RW_E_NOMEM;
        meta->removed = grown;
        meta->cap_removed = cap;
    }
    meta->removed[meta->n_removed++] = id;
    return RW_OK;
}

/* A topic that is not there: a snapshot says so of those whose directories may still be. */
static int apply_remove_topic(struct rw_meta *meta, const struct rw_remove_topic_record *r,
                              struct rw_meta_delta *delta)
{
    struct rw_meta_topic *t = rw_meta_topic_by_id(meta, r->topic_id);
    if (!t)
        return rw_meta_was_removed(meta, r->topic_id) ? RW_OK : note_removed(meta, r->topic_id);
    if (note_removed(meta, t->id) || note(delta, RW_META_TOPIC_REMOVED, t->id, t->n_partitions))
        return RW_E_NOMEM;
    rw_map_remove(&meta->by_name, rw_hash_str(rw_str(t->name)), t);
    rw_map_remove(&meta->by_folded, rw_meta_folded_hash(rw_str(t->name)), t);
    rw_map_remove(&meta->by_id, rw_hash(t->id.b, sizeof(t->id.b)), t);
    meta->n_partitions -= (size_t)t->n_partitions;
    rw_meta_topic_free(t);
    return RW_OK;
}

/* A broker is back after an unclean stop: it may give out offsets a second time, so everything that it
 * leads gets a new leader epoch. One record stands for all of them. */
static void elect_anew(struct rw_meta *meta, int32_t broker_id)
{
    struct rw_meta_topic *t;
    size_t at = 0;
    while ((t = rw_map_next(&meta->by_id, &at)))
        for (int32_t i = 0; i < t->n_partitions; i++)
            if (t->partitions[i].leader == broker_id) {
                t->partitions[i].leader_epoch++;
                t->partitions[i].partition_epoch++;
            }
}

static int apply_broker(struct rw_meta *meta, const struct rw_register_broker_record *r)
{
    struct rw_meta_broker made = {.id = r->broker_id, .epoch = r->broker_epoch};
    size_t i = 0;
    if (r->n_end_points > 0) {
        made.host = copy_str(r->end_points[0].host);
        made.port = r->end_points[0].port;
    }
    if (r->rack.n >= 0)
        made.rack = copy_str(r->rack);
    if ((r->n_end_points > 0 && !made.host) || (r->rack.n >= 0 && !made.rack)) {
        rw_meta_broker_deinit(&made);
        return RW_E_NOMEM;
    }
    while (i < meta->n_brokers && meta->brokers[i].id < made.id)
        i++;
    if (i < meta->n_brokers && meta->brokers[i].id == made.id) {
        if (made.epoch > meta->brokers[i].epoch)
            elect_anew(meta, made.id);
        rw_meta_broker_deinit(&meta->brokers[i]);
        meta->brokers[i] = made;
        return RW_OK;
    }
    struct rw_meta_broker *grown =
        rw_realloc_array(meta->brokers, meta->n_brokers + 1, sizeof(*grown));
    if (!grown) {
        rw_meta_broker_deinit(&made);
        return RW_E_NOMEM;
    }
    meta->brokers = grown;
    memmove(&grown[i + 1], &grown[i], (meta->n_brokers++ - i) * sizeof(*grown));
    grown[i] = made;
    return RW_OK;
}

static void apply_producer_ids(struct rw_meta *meta, const struct rw_producer_ids_record *r)
{
    if (r->next_producer_id > meta->next_producer_id)
        meta->next_producer_id = r->next_producer_id;
}

int rw_meta_apply(struct rw_meta *meta, int16_t type, const void *m, struct rw_meta_delta *delta)
{
    switch (type) {
    case RW_TOPIC_RECORD:
        return apply_topic(meta, m, delta);
    case RW_PARTITION_RECORD:
        return apply_partition(meta, m, delta);
    case RW_PARTITION_CHANGE_RECORD:
        return apply_partition_change(meta, m);
    case RW_CONFIG_RECORD:
        return apply_config(meta, m, delta);
    case RW_REMOVE_TOPIC_RECORD:
        return apply_remove_topic(meta, m, delta);
    case RW_REGISTER_BROKER_RECORD:
        return apply_broker(meta, m);
    case RW_PRODUCER_IDS_RECORD:
        apply_producer_ids(meta, m);
        return RW_OK;
    default:
        return RW_OK;
    }
}
