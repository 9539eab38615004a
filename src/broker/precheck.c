/*
 * What can be said about a producer's batch without its partition: checksum, form, timestamps, keys. It
 * is said on the shard that received the batch, where the bytes are still in the caches, and it is
 * where a busy partition's work spreads over the shards of its producers' connections.
 *
 * The rules are a copy of the topic's settings, kept per shard. The log compares them with its own at
 * the append: a check by old settings does not count, so nothing here has to be up to date.
 *
 * compression.type other than `producer`: rebuild.c builds the batch anew, before it goes to the log.
 */
#include "broker/partitions_private.h"

#include "base/mem.h"

struct topic_rules {
    struct rw_uuid id;
    struct rw_topic_config config;
};

static uint64_t hash_id(struct rw_uuid id)
{
    return rw_hash(&id, sizeof(id));
}

static bool is_topic(const void *item, const void *key)
{
    const struct topic_rules *t = item;
    const struct rw_uuid *id = key;
    return rw_uuid_eq(t->id, *id);
}

static struct topic_rules *make(struct rw_shard *s, const struct rw_meta_topic *t)
{
    struct topic_rules *rules = rw_alloc(sizeof(*rules));
    if (!rules)
        return NULL;
    rules->id = t->id;
    if (rw_topic_config_resolve(s->config, t->configs, t->n_configs, &rules->config) ||
        rw_map_put(&s->partitions->precheck.topics, hash_id(t->id), rules)) {
        rw_free(rules);
        return NULL;
    }
    return rules;
}

/* The codec that the topic stores the batch in. */
static struct rw_recode recode(const struct rw_topic_config *c, const struct rw_batch *b)
{
    const enum rw_codec has = rw_batch_codec(b);
    struct rw_recode r = {.codec = has, .level = RW_LEVEL_DEFAULT};
    switch (c->compression) {
    case RW_COMPRESSION_PRODUCER:
        break;
    case RW_COMPRESSION_NONE:
        r.codec = RW_CODEC_NONE;
        break;
    case RW_COMPRESSION_GZIP:
        r.codec = RW_CODEC_GZIP;
        if (c->gzip_level >= 0)
            r.level = (int)c->gzip_level;
        break;
    case RW_COMPRESSION_SNAPPY:
        r.codec = RW_CODEC_SNAPPY;
        break;
    case RW_COMPRESSION_LZ4:
        r.codec = RW_CODEC_LZ4;
        r.level = (int)c->lz4_level;
        break;
    case RW_COMPRESSION_ZSTD:
        r.codec = RW_CODEC_ZSTD;
        r.level = (int)c->zstd_level;
        break;
    }
    r.needed = r.codec != has;
    return r;
}

struct rw_rebuilders *rw_partitions_rebuilders(const struct rw_shard *s)
{
    return &s->partitions->precheck.rebuilders;
}

const struct rw_append_check *rw_partition_precheck(struct rw_shard *s,
                                                    const struct rw_meta_topic *t,
                                                    struct rw_slice bytes, bool allow_zstd,
                                                    struct rw_arena *arena,
                                                    struct rw_recode *ret_recode)
{
    *ret_recode = (struct rw_recode){0};
    struct rw_precheck *k = &s->partitions->precheck;
    const struct topic_rules *rules = rw_map_get(&k->topics, hash_id(t->id), is_topic, &t->id);
    struct rw_append_check *check = rw_arena_alloc(arena, sizeof(*check));
    if (!rules)
        rules = make(s, t);
    if (!rules || !check)
        return NULL;
    const struct rw_append_args args = {.allow_zstd = allow_zstd, .now_ms = rw_shard_wall_ms(s)};
    rw_log_rules(&rules->config.log, &args, &check->rules);
    check->code = rw_batch_inspect(bytes.p, bytes.n, &check->rules, &k->scratch, &check->result);
    if (check->code == RW_OK)
        *ret_recode = recode(&rules->config, &check->result.batch);
    /* For want of memory here: perhaps the owner has it. */
    return check->code == RW_E_NOMEM ? NULL : check;
}

void rw_precheck_forget(struct rw_precheck *k, struct rw_uuid topic_id)
{
    struct topic_rules *rules = rw_map_get(&k->topics, hash_id(topic_id), is_topic, &topic_id);
    if (!rules)
        return;
    rw_map_remove(&k->topics, hash_id(topic_id), rules);
    rw_free(rules);
}

void rw_precheck_forget_all(struct rw_precheck *k)
{
    size_t at = 0;
    void *rules;
    while ((rules = rw_map_next(&k->topics, &at)))
        rw_free(rules);
    rw_map_deinit(&k->topics);
}

void rw_precheck_deinit(struct rw_precheck *k)
{
    rw_precheck_forget_all(k);
    rw_records_deinit(&k->scratch);
    rw_rebuilders_deinit(&k->rebuilders);
}
