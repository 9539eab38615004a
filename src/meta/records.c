/*
 * Lists of metadata records, their stored form, and the image as records (snapshot). Version 0 of each
 * record type is written: what later versions add is not used yet.
 */
#include "meta/records.h"

#include "meta/decide_private.h"
#include "wire/messages.h"
#include "wire/record.h"

enum { RECORD_VERSION = 0 };

void *rw_meta_add(struct rw_meta_records *list, int16_t type)
{
    const struct rw_record_type *t = rw_record_type_find(type);
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 16;
        struct rw_meta_record *grown = rw_arena_array(list->arena, cap, sizeof(*grown));
        if (!grown)
            return NULL;
        if (list->n)
            memcpy(grown, list->items, list->n * sizeof(*grown));
        list->items = grown;
        list->cap = cap;
    }
    void *m = rw_arena_zalloc(list->arena, t->size);
    if (m) {
        rw_message_init(t->desc, m);
        list->items[list->n++] = (struct rw_meta_record){type, m};
    }
    return m;
}

int rw_meta_record_encode(const struct rw_meta_record *record, struct rw_buf *out)
{
    struct rw_writer w;
    rw_writer_init(&w);
    rw_record_write(&w, rw_record_type_find(record->type), RECORD_VERSION, record->m);
    bool failed = rw_writer_failed(&w);
    if (!failed)
        rw_buf_add(out, w.buf.p, w.buf.n);
    rw_writer_deinit(&w);
    return failed || out->failed ? RW_E_NOMEM : RW_OK;
}

int rw_meta_record_decode(struct rw_slice value, struct rw_arena *arena,
                          struct rw_meta_record *ret_record)
{
    struct rw_reader r;
    const struct rw_record_type *type;
    int16_t version;
    void *m;
    rw_reader_init(&r, value.p, value.n, arena);
    int rc = rw_record_read(&r, &type, &version, &m);
    if (rc)
        return rc;
    if (rw_reader_left(&r) != 0)
        return RW_E_CORRUPT;
    *ret_record = (struct rw_meta_record){type->id, m};
    return RW_OK;
}

static int snapshot_partition(const struct rw_meta_topic *t, int32_t i,
                              struct rw_meta_records *list)
{
    const struct rw_meta_partition *p = &t->partitions[i];
    struct rw_partition_record *r = rw_meta_add(list, RW_PARTITION_RECORD);
    if (!r)
        return RW_E_NOMEM;
    r->partition_id = i;
    r->topic_id = t->id;
    r->n_replicas = p->n_replicas;
    r->replicas = p->replicas;
    r->n_isr = p->n_isr;
    r->isr = p->isr;
    r->leader = p->leader;
    r->leader_epoch = p->leader_epoch;
    r->partition_epoch = p->partition_epoch;
    return RW_OK;
}

static int snapshot_configs(int8_t type, struct rw_str name, const struct rw_pair *configs,
                            size_t n, struct rw_meta_records *list)
{
    for (size_t i = 0; i < n; i++)
        if (rw_meta_add_config(list, type, name, configs[i].name, configs[i].value))
            return RW_E_NOMEM;
    return RW_OK;
}

static int snapshot_topic(const struct rw_meta_topic *t, struct rw_meta_records *list)
{
    struct rw_topic_record *r = rw_meta_add(list, RW_TOPIC_RECORD);
    if (!r)
        return RW_E_NOMEM;
    r->name = rw_str(t->name);
    r->topic_id = t->id;
    for (int32_t i = 0; i < t->n_partitions; i++)
        if (snapshot_partition(t, i, list))
            return RW_E_NOMEM;
    return snapshot_configs(RW_RESOURCE_TOPIC, rw_str(t->name), t->configs, t->n_configs, list);
}

static int snapshot_broker_configs(const struct rw_meta_broker_configs *b,
                                   struct rw_meta_records *list)
{
    struct rw_str name = RW_STR_LIT("");
    if (b->id != RW_META_ALL_BROKERS)
        name = rw_str(rw_arena_printf(list->arena, "%d", b->id));
    if (name.n < 0)
        return RW_E_NOMEM;
    return snapshot_configs(RW_RESOURCE_BROKER, name, b->configs, b->n_configs, list);
}

static int snapshot_broker(const struct rw_meta_broker *b, struct rw_meta_records *list)
{
    struct rw_register_broker_record *r = rw_meta_add(list, RW_REGISTER_BROKER_RECORD);
    struct rw_register_broker_record_end_point *e = rw_arena_array(list->arena, 1, sizeof(*e));
    if (!r || !e)
        return RW_E_NOMEM;
    rw_register_broker_record_end_point_init(e);
    e->name = RW_STR_LIT("PLAINTEXT");
    e->host = rw_str(b->host ? b->host : "");
    e->port = (uint16_t)b->port;
    r->broker_id = b->id;
    r->broker_epoch = b->epoch;
    r->n_end_points = 1;
    r->end_points = e;
    r->rack = rw_str(b->rack);
    r->fenced = false;
    return RW_OK;
}

int rw_meta_snapshot(const struct rw_meta *meta, struct rw_meta_records *list)
{
    size_t n;
    struct rw_meta_topic **topics = rw_meta_topics(meta, list->arena, &n);
    if (n && !topics)
        return RW_E_NOMEM;
    for (size_t i = 0; i < meta->n_brokers; i++)
        if (snapshot_broker(&meta->brokers[i], list))
            return RW_E_NOMEM;
    for (size_t i = 0; i < meta->n_broker_configs; i++)
        if (snapshot_broker_configs(&meta->broker_configs[i], list))
            return RW_E_NOMEM;
    for (size_t i = 0; i < n; i++)
        if (snapshot_topic(topics[i], list))
            return RW_E_NOMEM;
    for (size_t i = 0; i < meta->n_removed; i++) {
        struct rw_remove_topic_record *r = rw_meta_add(list, RW_REMOVE_TOPIC_RECORD);
        if (!r)
            return RW_E_NOMEM;
        r->topic_id = meta->removed[i];
    }
    struct rw_producer_ids_record *ids =
        meta->next_producer_id ? rw_meta_add(list, RW_PRODUCER_IDS_RECORD) : NULL;
    if (meta->next_producer_id && !ids)
        return RW_E_NOMEM;
    if (ids)
        ids->next_producer_id = meta->next_producer_id;
    return RW_OK;
}
