/*
 * DescribeConfigs for topics, brokers and broker loggers, from the one table of keys: every key, its
 * effective value, where it comes from and what it would be otherwise (synonyms). A default is reported
 * as DEFAULT_CONFIG even when a broker key stands behind it; only what somebody set is reported as set
 * (P32).
 */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "broker/api/api.h"

enum { TOPIC = 2, BROKER = 4, BROKER_LOGGER = 8 };

typedef struct rw_describe_configs_response_resource resource_out;
typedef struct rw_describe_configs_response_config config_out;
typedef struct rw_describe_configs_response_synonym synonym_out;

/* Null and none at all both ask for everything, as in Kafka. */
static bool is_asked(const struct rw_describe_configs_request_resource *in, const char *name)
{
    if (in->n_configuration_keys <= 0)
        return true;
    for (int32_t i = 0; i < in->n_configuration_keys; i++)
        if (rw_str_is(in->configuration_keys[i], name))
            return true;
    return false;
}

bool rw_api_topic_value(const struct rw_request *req, struct rw_arena *arena,
                        const struct rw_config_key *key, const struct rw_meta_topic *t,
                        struct rw_str *ret_value, enum rw_config_source *ret_source)
{
    struct rw_buf buf;
    rw_buf_init(&buf);
    const char *text =
        rw_topic_config_value(req->shard->config, key, t->configs, t->n_configs, &buf, ret_source);
    bool fine = !buf.failed;
    if (fine && text)
        *ret_value = rw_arena_str(arena, text);
    fine &= !text || ret_value->n >= 0;
    rw_buf_deinit(&buf);
    return fine;
}

/* In this order they win. */
static const enum rw_config_source sources[] = {RW_SOURCE_DYNAMIC_BROKER,
                                                RW_SOURCE_DYNAMIC_DEFAULT_BROKER,
                                                RW_SOURCE_STATIC_BROKER, RW_SOURCE_DEFAULT};

/* Gathered here and kept in their number: one request asks for the keys of thousands of topics. */
struct synonyms {
    synonym_out rows[(RW_SYNONYMS_MAX + 1) * RW_COUNT(sources) + 1];
    int32_t n;
};

static void add_synonym(struct synonyms *list, const char *name, struct rw_str value,
                        enum rw_config_source source)
{
    synonym_out *s = &list->rows[list->n++];
    rw_describe_configs_response_synonym_init(s);
    s->name = rw_str(name);
    s->value = value;
    s->source = (int8_t)source;
}

static bool keep_synonyms(struct rw_request *req, const struct synonyms *list, config_out *c)
{
    if (list->n == 0)
        return true;
    c->synonyms = rw_arena_array(&req->arena, (size_t)list->n, sizeof(*c->synonyms));
    if (!c->synonyms)
        return false;
    memcpy(c->synonyms, list->rows, (size_t)list->n * sizeof(*c->synonyms));
    c->n_synonyms = list->n;
    return true;
}

/* What the sources say of a broker's key and of those behind it (`own` NULL: only those), strongest
 * first. False: no memory. */
static bool add_layers(struct rw_request *req, const struct rw_config_key *key,
                       const struct rw_config_key *own, struct synonyms *list)
{
    for (size_t s = 0; s < RW_COUNT(sources); s++)
        for (size_t i = 0; i <= RW_SYNONYMS_MAX; i++) {
            const struct rw_config_key *other = own;
            if (i > 0 && !key->synonyms[i - 1].name)
                break;
            if (i > 0)
                other = rw_config_find(RW_SCOPE_BROKER, rw_str(key->synonyms[i - 1].name));
            const char *text =
                other ? rw_config_layer(req->shard->config, other, sources[s]) : NULL;
            if (!text)
                continue;
            /* The configuration may be another one when the answer is encoded. */
            struct rw_str value = RW_STR_NULL;
            if (!(other->flags & RW_CONFIG_SECRET)) {
                value = rw_arena_str(&req->arena, text);
                if (value.n < 0)
                    return false;
            }
            add_synonym(list, other->name, value, sources[s]);
        }
    return true;
}

static void fill_common(struct rw_request *req, const struct rw_config_key *key, config_out *c)
{
    const struct rw_describe_configs_request *in = req->in;
    c->name = rw_str(key->name);
    c->is_sensitive = (key->flags & RW_CONFIG_SECRET) != 0;
    c->config_type = (int8_t)key->type;
    c->documentation = in->include_documentation ? rw_str(key->doc) : RW_STR_NULL;
}

static bool add_topic_config(struct rw_request *req, const struct rw_config_key *key,
                             const struct rw_meta_topic *t, config_out *c)
{
    const struct rw_describe_configs_request *in = req->in;
    enum rw_config_source source;
    struct synonyms list = {.n = 0};
    fill_common(req, key, c);
    if (!rw_api_topic_value(req, &req->arena, key, t, &c->value, &source))
        return false;
    c->config_source = (int8_t)source;
    if (!in->include_synonyms)
        return true;
    if (source == RW_SOURCE_TOPIC)
        add_synonym(&list, key->name, c->value, source);
    if (key->synonyms[0].name && !add_layers(req, key, NULL, &list))
        return false;
    if (!key->synonyms[0].name && key->fallback)
        add_synonym(&list, key->name, rw_str(key->fallback), RW_SOURCE_DEFAULT);
    return keep_synonyms(req, &list, c);
}

/* all: what was set for all brokers, and nothing else. */
static bool add_broker_config(struct rw_request *req, const struct rw_config_key *key, bool all,
                              config_out *c)
{
    const struct rw_describe_configs_request *in = req->in;
    const struct rw_config *config = req->shard->config;
    enum rw_config_source source = RW_SOURCE_DYNAMIC_DEFAULT_BROKER;
    struct synonyms list = {.n = 0};
    fill_common(req, key, c);
    const char *value =
        all ? rw_config_layer(config, key, source) : rw_config_value(config, key, &source);
    if (value && !c->is_sensitive) {
        c->value = rw_arena_str(&req->arena, value);
        if (c->value.n < 0)
            return false;
    }
    c->config_source = (int8_t)source;
    c->read_only = !(key->flags & RW_CONFIG_DYNAMIC);
    if (!in->include_synonyms)
        return true;
    if (all)
        add_synonym(&list, key->name, c->value, source);
    else if (!add_layers(req, key, key, &list))
        return false;
    return keep_synonyms(req, &list, c);
}

static bool add_broker_configs(struct rw_request *req,
                               const struct rw_describe_configs_request_resource *in,
                               resource_out *out)
{
    size_t n_keys;
    const struct rw_config_key *keys = rw_config_table(&n_keys);
    bool all = in->resource_name.n == 0;
    out->configs = rw_arena_array(&req->arena, n_keys, sizeof(*out->configs));
    if (!out->configs)
        return false;
    for (size_t i = 0; i < n_keys; i++) {
        if (keys[i].scope != RW_SCOPE_BROKER || !is_asked(in, keys[i].name))
            continue;
        if (all && !rw_config_layer(req->shard->config, &keys[i], RW_SOURCE_DYNAMIC_DEFAULT_BROKER))
            continue;
        config_out *c = &out->configs[out->n_configs++];
        rw_describe_configs_response_config_init(c);
        if (!add_broker_config(req, &keys[i], all, c))
            return false;
    }
    return true;
}

static bool add_topic_configs(struct rw_request *req,
                              const struct rw_describe_configs_request_resource *in,
                              const struct rw_meta_topic *t, resource_out *out)
{
    size_t n_keys;
    const struct rw_config_key *keys = rw_config_table(&n_keys);
    size_t n_asked = 0;
    for (size_t i = 0; i < n_keys; i++)
        n_asked += keys[i].scope == RW_SCOPE_TOPIC && is_asked(in, keys[i].name);
    out->configs = rw_arena_array(&req->arena, n_asked + 1, sizeof(*out->configs));
    if (!out->configs)
        return false;
    for (size_t i = 0; i < n_keys; i++) {
        if (keys[i].scope != RW_SCOPE_TOPIC || !is_asked(in, keys[i].name))
            continue;
        config_out *c = &out->configs[out->n_configs++];
        rw_describe_configs_response_config_init(c);
        if (!add_topic_config(req, &keys[i], t, c))
            return false;
    }
    return true;
}

/* One logger, whose level is that of the whole program. */
static bool add_logger(struct rw_request *req,
                       const struct rw_describe_configs_request_resource *in, resource_out *out)
{
    out->configs = rw_arena_array(&req->arena, 1, sizeof(*out->configs));
    if (!out->configs)
        return false;
    if (!is_asked(in, "root"))
        return true;
    config_out *c = &out->configs[out->n_configs++];
    rw_describe_configs_response_config_init(c);
    c->name = RW_STR_LIT("root");
    c->value = rw_str(rw_api_config(req)->log_level);
    c->read_only = true;
    c->config_source = RW_SOURCE_STATIC_BROKER;
    c->config_type = RW_CONFIG_STRING;
    return true;
}

static void refuse(resource_out *out, int16_t error, const char *why)
{
    out->error_code = error;
    out->error_message = rw_str(why);
}

static bool is_this_broker(const struct rw_request *req, struct rw_str name)
{
    char id[16];
    (void)snprintf(id, sizeof(id), "%d", rw_api_config(req)->node_id);
    return rw_str_is(name, id);
}

static bool describe(struct rw_request *req, const struct rw_describe_configs_request_resource *in,
                     resource_out *out)
{
    const struct rw_meta_topic *t = NULL;
    rw_describe_configs_response_resource_init(out);
    out->resource_type = in->resource_type;
    out->resource_name = in->resource_name;
    if (in->resource_type == TOPIC) {
        t = rw_meta_topic(rw_api_meta(req), in->resource_name);
        if (t)
            return add_topic_configs(req, in, t, out);
        if (rw_topic_name_problem(in->resource_name))
            refuse(out, RW_KERR_INVALID_TOPIC_EXCEPTION, rw_topic_name_problem(in->resource_name));
        else
            refuse(out, RW_KERR_UNKNOWN_TOPIC_OR_PARTITION, "This topic does not exist");
        return true;
    }
    if (in->resource_type != BROKER && in->resource_type != BROKER_LOGGER) {
        refuse(out, RW_KERR_INVALID_REQUEST, "Configurations are those of topics and brokers");
        return true;
    }
    if (in->resource_type == BROKER && in->resource_name.n == 0)
        return add_broker_configs(req, in, out);
    if (!is_this_broker(req, in->resource_name)) {
        refuse(out, RW_KERR_INVALID_REQUEST, "This broker has another id: ask that one itself");
        return true;
    }
    return in->resource_type == BROKER ? add_broker_configs(req, in, out)
                                       : add_logger(req, in, out);
}

void rw_handle_describe_configs(struct rw_request *req)
{
    const struct rw_describe_configs_request *in = req->in;
    struct rw_describe_configs_response *out = req->out;
    out->results = rw_arena_array(&req->arena, (size_t)in->n_resources + 1, sizeof(*out->results));
    bool fine = out->results != NULL;
    for (int32_t i = 0; fine && i < in->n_resources; i++)
        fine = describe(req, &in->resources[i], &out->results[out->n_results++]);
    if (fine)
        rw_request_done(req);
    else
        rw_api_no_memory(req);
}
