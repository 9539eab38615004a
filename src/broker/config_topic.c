/*
 * A topic's effective settings: its own values over the broker's synonyms over the defaults.
 *
 * Own values are canonical (checked when they were set), so that resolving can only fail for want of
 * memory.
 */
#include "broker/config.h"

#include <stdlib.h>
#include "base/assert.h"
#include "broker/config_private.h"

static const struct rw_pair *find_own(const struct rw_config_key *key, const struct rw_pair *own,
                                      size_t n_own)
{
    for (size_t i = 0; i < n_own; i++)
        if (rw_str_is(own[i].name, key->name))
            return &own[i];
    return NULL;
}

/* The source of a value that is not the topic's own. */
static enum rw_config_source inherited_source(const struct rw_config *c,
                                              const struct rw_config_key *key)
{
    for (size_t i = 0; i < RW_SYNONYMS_MAX && key->synonyms[i].name; i++) {
        enum rw_config_source source;
        (void)rw_config_value(c, rw_config_find(RW_SCOPE_BROKER, rw_str(key->synonyms[i].name)),
                              &source);
        if (source != RW_SOURCE_DEFAULT)
            return source;
    }
    return RW_SOURCE_DEFAULT;
}

const char *rw_topic_config_value(const struct rw_config *c, const struct rw_config_key *key,
                                  const struct rw_pair *own, size_t n_own, struct rw_buf *buf,
                                  enum rw_config_source *ret_source)
{
    const struct rw_pair *pair = find_own(key, own, n_own);
    if (!pair) {
        *ret_source = inherited_source(c, key);
        return rw_config_effective(c, key, buf);
    }
    *ret_source = RW_SOURCE_TOPIC;
    rw_buf_clear(buf);
    rw_buf_add(buf, pair->value.p, (size_t)(pair->value.n > 0 ? pair->value.n : 0));
    return buf->failed ? NULL : rw_buf_cstr(buf);
}

static enum rw_compression compression_of(const char *name)
{
    static const char *const names[] = {
        [RW_COMPRESSION_PRODUCER] = "producer", [RW_COMPRESSION_NONE] = "uncompressed",
        [RW_COMPRESSION_GZIP] = "gzip",         [RW_COMPRESSION_SNAPPY] = "snappy",
        [RW_COMPRESSION_LZ4] = "lz4",           [RW_COMPRESSION_ZSTD] = "zstd",
    };
    for (size_t i = 0; i < RW_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0)
            return (enum rw_compression)i;
    return RW_COMPRESSION_PRODUCER;
}

/* The few keys whose typed form is not the text's: lists and names of a set. */
static void store_special(const char *name, const char *text, struct rw_topic_config *t)
{
    if (strcmp(name, "cleanup.policy") == 0) {
        t->log.cleanup_delete = strstr(text, "delete") != NULL;
        t->log.cleanup_compact = strstr(text, "compact") != NULL;
    } else if (strcmp(name, "message.timestamp.type") == 0) {
        t->log.log_append_time = strcmp(text, "LogAppendTime") == 0;
    } else if (strcmp(name, "compression.type") == 0) {
        t->compression = compression_of(text);
    }
}

int rw_topic_config_resolve(const struct rw_config *c, const struct rw_pair *own, size_t n_own,
                            struct rw_topic_config *ret_config)
{
    size_t n_keys;
    const struct rw_config_key *keys = rw_config_table(&n_keys);
    struct rw_topic_config t = {0};
    struct rw_buf buf;
    int rc = RW_OK;
    rw_buf_init(&buf);
    rw_log_config_init(&t.log); /* what has no key keeps the engine's default */
    for (size_t i = 0; i < n_keys && rc == RW_OK; i++) {
        if (keys[i].scope != RW_SCOPE_TOPIC)
            continue;
        enum rw_config_source source;
        const char *text = rw_topic_config_value(c, &keys[i], own, n_own, &buf, &source);
        if (!text || buf.failed)
            rc = RW_E_NOMEM;
        else if (keys[i].field)
            rw_config_store(&keys[i], text, (char *)&t + (keys[i].field - 1));
        else
            store_special(keys[i].name, text, &t);
    }
    rw_buf_deinit(&buf);
    t.log.producer_expiry_ms = c->broker.producer_expiry_ms;
    if (rc == RW_OK)
        *ret_config = t;
    return rc;
}

int rw_topic_config_check(const struct rw_config *c, const struct rw_pair *own, size_t n_own,
                          struct rw_err *ret_err)
{
    struct rw_topic_config t;
    int rc = rw_topic_config_resolve(c, own, n_own, &t);
    if (rc)
        return rw_err_set(ret_err, rc, "out of memory");
    if (t.log.segment_jitter_ms > t.log.segment_ms)
        return rw_err_set(ret_err, RW_E_INVAL,
                          "segment.jitter.ms must not be larger than segment.ms");
    return RW_OK;
}
