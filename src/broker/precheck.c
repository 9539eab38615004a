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

/* The codec that the topic's batches are stored in. False: as they come. */
static bool wanted_codec(const struct rw_topic_config *c, enum rw_codec *ret_codec, int *ret_level)
{
    *ret_level = RW_LEVEL_DEFAULT;
    switch (c->compression) {
    case RW_COMPRESSION_PRODUCER:
        return false;
    case RW_COMPRESSION_NONE:
        *ret_codec = RW_CODEC_NONE;
        return true;
    case RW_COMPRESSION_GZIP:
        *ret_codec = RW_CODEC_GZIP;
        *ret_level = c->gzip_level < 0 ? RW_LEVEL_DEFAULT : (int)c->gzip_level;
        return true;
    case RW_COMPRESSION_SNAPPY:
        *ret_codec = RW_CODEC_SNAPPY;
        return true;
    case RW_COMPRESSION_LZ4:
        *ret_codec = RW_CODEC_LZ4;
        *ret_level = (int)c->lz4_level;
        return true;
    case RW_COMPRESSION_ZSTD:
        *ret_codec = RW_CODEC_ZSTD;
        *ret_level = (int)c->zstd_level;
        return true;
    }
    return false;
}

bool rw_partition_codec(const struct rw_shard *s, struct rw_uuid topic_id,
                        const struct rw_append_check *check, enum rw_codec *ret_codec,
                        int *ret_level)
{
    const struct topic_rules *rules =
        rw_map_get(&s->partitions->precheck.topics, hash_id(topic_id), is_topic, &topic_id);
    return rules && check && check->code == RW_OK &&
           wanted_codec(&rules->config, ret_codec, ret_level) &&
           rw_batch_codec(&check->result.batch) != *ret_codec;
}

struct rw_rebuilders *rw_partitions_rebuilders(const struct rw_shard *s)
{
    return &s->partitions->precheck.rebuilders;
}

const struct rw_append_check *rw_partition_precheck(struct rw_shard *s,
                                                    const struct rw_meta_topic *t,
                                                    struct rw_slice bytes, bool allow_zstd,
                                                    struct rw_arena *arena)
{
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
