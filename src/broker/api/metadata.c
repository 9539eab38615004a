/*
 * Metadata: brokers, topics, partitions and their leaders. Topics that are asked for by name and do not
 * exist are created first, where client and configuration allow it (the answer waits for it, so that a
 * client's first message finds its topic).
 *
 * Null topics ask for all, an empty list for none; in version 0 an empty list asks for all. Never an
 * answer without brokers (P24): the own broker is always in it.
 */
#include "base/same.h"
#include "broker/api/api.h"

/* What an operator who may do everything may do; KIP-430 bit fields. */
#define TOPIC_OPERATIONS   0x0df8 /* read..describe, describe/alter configs */
#define CLUSTER_OPERATIONS 0x1f80

#define REFUSALS_EVERY_US 10000000
#define TOLD_MAX          100

typedef struct rw_metadata_response_topic topic_out;

static bool add_brokers(struct rw_request *req, struct rw_metadata_response *out)
{
    const struct rw_meta *meta = rw_api_meta(req);
    out->brokers = rw_arena_array(&req->arena, meta->n_brokers, sizeof(*out->brokers));
    if (!out->brokers)
        return false;
    for (size_t i = 0; i < meta->n_brokers; i++) {
        struct rw_metadata_response_broker *b = &out->brokers[out->n_brokers++];
        rw_metadata_response_broker_init(b);
        b->node_id = meta->brokers[i].id;
        if (!rw_api_advertised(req, b->node_id, &b->host, &b->port))
            return false;
        b->rack = rw_str(meta->brokers[i].rack);
    }
    return true;
}

/* The image may change before the answer is encoded, so everything is copied. */
static bool copy_ids(struct rw_arena *a, const int32_t *ids, int32_t n, int32_t **ret,
                     int32_t *ret_n)
{
    *ret = rw_arena_array(a, (size_t)n + 1, sizeof(**ret));
    if (!*ret)
        return false;
    if (n > 0)
        memcpy(*ret, ids, (size_t)n * sizeof(*ids));
    *ret_n = n;
    return true;
}

static bool add_partitions(struct rw_request *req, const struct rw_meta_topic *t, topic_out *out)
{
    out->partitions =
        rw_arena_array(&req->arena, (size_t)t->n_partitions, sizeof(*out->partitions));
    if (!out->partitions && t->n_partitions > 0)
        return false;
    for (int32_t i = 0; i < t->n_partitions; i++) {
        const struct rw_meta_partition *from = &t->partitions[i];
        struct rw_metadata_response_partition *p = &out->partitions[out->n_partitions++];
        rw_metadata_response_partition_init(p);
        p->partition_index = i;
        p->leader_id = from->leader;
        p->leader_epoch = from->leader_epoch;
        p->error_code =
            from->leader < 0 ? (int16_t)RW_KERR_LEADER_NOT_AVAILABLE : (int16_t)RW_KERR_NONE;
        if (!copy_ids(&req->arena, from->replicas, from->n_replicas, &p->replica_nodes,
                      &p->n_replica_nodes) ||
            !copy_ids(&req->arena, from->isr, from->n_isr, &p->isr_nodes, &p->n_isr_nodes))
            return false;
    }
    return true;
}

static bool add_topic(struct rw_request *req, const struct rw_meta_topic *t, topic_out *out)
{
    const struct rw_metadata_request *in = req->in;
    rw_metadata_response_topic_init(out);
    out->name = rw_arena_str(&req->arena, t->name);
    out->topic_id = t->id;
    out->is_internal =
        rw_str_is(out->name, "__consumer_offsets") || rw_str_is(out->name, "__transaction_state");
    if (in->include_topic_authorized_operations)
        out->topic_authorized_operations = TOPIC_OPERATIONS;
    return out->name.n >= 0 && add_partitions(req, t, out);
}

static bool add_all(struct rw_request *req, struct rw_metadata_response *out)
{
    size_t n;
    struct rw_meta_topic **all = rw_meta_topics(rw_api_meta(req), &req->arena, &n);
    out->topics = rw_arena_array(&req->arena, n + 1, sizeof(*out->topics));
    if ((n > 0 && !all) || !out->topics)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!add_topic(req, all[i], &out->topics[out->n_topics++]))
            return false;
    return true;
}

/* A topic that was asked for and is not there. */
static int16_t missing_error(const struct rw_metadata_request_topic *asked)
{
    if (!rw_uuid_is_zero(asked->topic_id))
        return RW_KERR_UNKNOWN_TOPIC_ID;
    return rw_topic_name_problem(asked->name) ? RW_KERR_INVALID_TOPIC_EXCEPTION
                                              : RW_KERR_UNKNOWN_TOPIC_OR_PARTITION;
}

static const struct rw_meta_topic *find(const struct rw_request *req,
                                        const struct rw_metadata_request_topic *asked)
{
    return rw_uuid_is_zero(asked->topic_id)
               ? rw_meta_topic(rw_api_meta(req), asked->name)
               : rw_meta_topic_by_id(rw_api_meta(req), asked->topic_id);
}

static bool add_asked(struct rw_request *req, struct rw_metadata_response *out)
{
    const struct rw_metadata_request *in = req->in;
    out->topics = rw_arena_array(&req->arena, (size_t)in->n_topics + 1, sizeof(*out->topics));
    if (!out->topics)
        return false;
    for (int32_t i = 0; i < in->n_topics; i++) {
        const struct rw_metadata_request_topic *asked = &in->topics[i];
        topic_out *t = &out->topics[out->n_topics++];
        const struct rw_meta_topic *found = find(req, asked);
        if (found) {
            if (!add_topic(req, found, t))
                return false;
            continue;
        }
        rw_metadata_response_topic_init(t);
        t->error_code = missing_error(asked);
        t->topic_id = asked->topic_id;
        t->name = asked->name;
        if (t->name.n < 0 && req->header.api_version < 12)
            t->name = RW_STR_LIT("");
    }
    return true;
}

static void answer(struct rw_request *req, int code)
{
    const struct rw_metadata_request *in = req->in;
    struct rw_metadata_response *out = req->out;
    (void)code; /* what could not be created is reported as missing */
    bool all = in->n_topics < 0 || (in->n_topics == 0 && req->header.api_version == 0);
    out->cluster_id = rw_str(rw_api_node(req)->identity.cluster_id);
    out->controller_id = rw_api_config(req)->node_id;
    if (in->include_cluster_authorized_operations)
        out->cluster_authorized_operations = CLUSTER_OPERATIONS;
    if (!add_brokers(req, out) || !(all ? add_all(req, out) : add_asked(req, out)))
        rw_api_no_memory(req);
    else
        rw_request_done(req);
}

/* A client that waits for a topic which is never made asks again and again: its operator looks here. On the
 * shard s, whose turn it is. */
static void tell_refused(struct rw_shard *s, struct rw_request *req, struct rw_str name,
                         struct rw_str why)
{
    struct rw_view *v = s->view;
    int64_t now = rw_shard_now_us(s);
    struct rw_str client = req->header.client_id;
    if (v->refusals_from_us && now - v->refusals_from_us < REFUSALS_EVERY_US) {
        v->refusals_untold++;
        return;
    }
    rw_diag(s->env->diag, RW_WARN, "metadata", "a topic that a client asked for was not created",
            rw_kv_str("topic", rw_arena_printf(&req->arena, "%.*s",
                                               name.n > TOLD_MAX ? TOLD_MAX : (int)name.n, name.p)),
            rw_kv_str("client_id",
                      client.n > 0 ? rw_arena_printf(&req->arena, "%.*s",
                                                     client.n > TOLD_MAX ? TOLD_MAX : (int)client.n,
                                                     client.p)
                                   : ""),
            rw_kv_str("reason", rw_arena_printf(&req->arena, "%.*s", (int)why.n, why.p)),
            rw_kv_uint("others_since_last", v->refusals_untold));
    v->refusals_from_us = now;
    v->refusals_untold = 0;
}

/* On shard 0: creates what is missing, with the defaults. */
static int decide(struct rw_change *c, const struct rw_meta *meta,
                  const struct rw_meta_policy *policy)
{
    const struct rw_metadata_request *in = rw_api_change_request(c)->in;
    struct rw_create_topics_request make;
    struct rw_create_topics_response made;
    rw_create_topics_request_init(&make);
    rw_create_topics_response_init(&made);
    make.topics = rw_arena_array(c->list.arena, (size_t)in->n_topics, sizeof(*make.topics));
    struct rw_str *names = rw_arena_array(c->list.arena, (size_t)in->n_topics, sizeof(*names));
    int32_t *same;
    for (int32_t i = 0; names && i < in->n_topics; i++)
        names[i] = in->topics[i].name;
    if (!make.topics || !names || rw_find_same(names, in->n_topics, c->list.arena, &same))
        return RW_E_NOMEM;
    for (int32_t i = 0; i < in->n_topics; i++) {
        struct rw_str name = names[i];
        bool again = same[i] >= 0 && same[i] < i;
        bool by_id = !rw_uuid_is_zero(in->topics[i].topic_id);
        if (name.n < 0 || by_id || again || rw_meta_topic(meta, name))
            continue;
        struct rw_create_topics_request_topic *t = &make.topics[make.n_topics++];
        rw_create_topics_request_topic_init(t);
        t->name = name;
        t->num_partitions = -1;
        t->replication_factor = -1;
    }
    int rc = rw_decide_create_topics(meta, policy, &make, &made, &c->list);
    struct rw_request *req = rw_api_change_request(c);
    for (int32_t i = 0; rc == RW_OK && i < made.n_topics; i++)
        if (made.topics[i].error_code)
            tell_refused(req->shard->broker->shards[0], req, made.topics[i].name,
                         made.topics[i].error_message);
    return rc;
}

/* NULL: nothing here forbids it. */
static const char *refusal(const struct rw_request *req, struct rw_str name)
{
    const char *problem = rw_topic_name_problem(name);
    if (problem)
        return problem;
    if (!rw_api_config(req)->auto_create_topics)
        return "auto.create.topics.enable is false";
    return rw_partitions_disk_full(req->shard) ? "the disk with the data is nearly full" : NULL;
}

void rw_handle_metadata(struct rw_request *req)
{
    const struct rw_metadata_request *in = req->in;
    bool missing = false;
    for (int32_t i = 0; in->allow_auto_topic_creation && i < in->n_topics; i++) {
        struct rw_str name = in->topics[i].name;
        if (name.n < 0 || !rw_uuid_is_zero(in->topics[i].topic_id) || find(req, &in->topics[i]))
            continue;
        const char *why = refusal(req, name);
        if (why)
            tell_refused(req->shard, req, name, rw_str(why));
        missing |= !why;
    }
    if (missing)
        rw_api_submit(req, decide, answer);
    else
        answer(req, RW_OK);
}
