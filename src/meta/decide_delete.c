/*
 * DeleteTopics: by name, or by id from version 6 on. Also what is decided in one line: blocks of
 * producer ids, the registration of a broker.
 */
#include "meta/decide_private.h"

#include "base/same.h"
#include "wire/error.h"

typedef struct rw_delete_topics_response_topic topic_out;

static void refuse(topic_out *out, int16_t error, const char *why)
{
    out->error_code = error;
    out->error_message = rw_str(why);
}

/* True when it may go; else the error is set. Where there is such a topic, its name and id are. */
static bool judge(const struct rw_meta *meta, const struct rw_meta_policy *policy,
                  struct rw_arena *arena, topic_out *out)
{
    bool by_id = !rw_uuid_is_zero(out->topic_id);
    const struct rw_meta_topic *t = NULL;
    if (by_id && out->name.n >= 0) {
        refuse(out, RW_KERR_INVALID_REQUEST, "name and id of a topic exclude each other");
        return false;
    }
    if (!by_id && out->name.n < 0) {
        refuse(out, RW_KERR_INVALID_REQUEST, "neither name nor id of the topic is given");
        return false;
    }
    t = by_id ? rw_meta_topic_by_id(meta, out->topic_id) : rw_meta_topic(meta, out->name);
    if (!t) {
        refuse(out, by_id ? RW_KERR_UNKNOWN_TOPIC_ID : RW_KERR_UNKNOWN_TOPIC_OR_PARTITION,
               "This topic does not exist");
        return false;
    }
    out->name = rw_arena_str(arena, t->name); /* the image's is gone when the answer leaves */
    out->topic_id = t->id;
    if (!policy->delete_enabled) {
        refuse(out, RW_KERR_TOPIC_DELETION_DISABLED, "delete.topic.enable is false");
        return false;
    }
    return true;
}

/* One row for each thing that was asked for, judged by itself. */
static int judge_all(const struct rw_meta *meta, const struct rw_meta_policy *policy,
                     const struct rw_delete_topics_request *in,
                     struct rw_delete_topics_response *out, struct rw_arena *arena)
{
    int32_t n_names = in->n_topic_names > 0 ? in->n_topic_names : 0;
    int32_t n_topics = in->n_topics > 0 ? in->n_topics : 0;
    out->responses =
        rw_arena_array(arena, (size_t)n_names + (size_t)n_topics, sizeof(*out->responses));
    if (!out->responses && n_names + n_topics > 0)
        return RW_E_NOMEM;
    for (int32_t i = 0; i < n_names + n_topics; i++) {
        topic_out *t = &out->responses[out->n_responses++];
        rw_delete_topics_response_topic_init(t);
        t->name = i < n_names ? in->topic_names[i] : in->topics[i - n_names].name;
        if (i >= n_names)
            t->topic_id = in->topics[i - n_names].topic_id;
        if (judge(meta, policy, arena, t) && t->name.n < 0)
            return RW_E_NOMEM;
    }
    return RW_OK;
}

/* A topic may be named by its name and by its id: what was found counts. Who names it twice does not
 * know what he asks for: neither counts, as in Kafka. */
static int refuse_twice(struct rw_delete_topics_response *out, struct rw_arena *arena)
{
    int32_t n = out->n_responses, *same;
    struct rw_str *ids = rw_arena_array(arena, (size_t)n + 1, sizeof(*ids));
    if (!ids)
        return RW_E_NOMEM;
    for (int32_t i = 0; i < n; i++)
        ids[i] = out->responses[i].error_code
                     ? RW_STR_NULL
                     : (struct rw_str){(const char *)out->responses[i].topic_id.b,
                                       sizeof(out->responses[i].topic_id.b)};
    if (rw_find_same(ids, n, arena, &same))
        return RW_E_NOMEM;
    for (int32_t i = 0; i < n; i++)
        if (same[i] >= 0)
            refuse(&out->responses[i], RW_KERR_INVALID_REQUEST,
                   "the request names this topic twice");
    return RW_OK;
}

int rw_decide_delete_topics(const struct rw_meta *meta, const struct rw_meta_policy *policy,
                            const struct rw_delete_topics_request *in,
                            struct rw_delete_topics_response *out, struct rw_meta_records *list)
{
    int rc = judge_all(meta, policy, in, out, list->arena);
    if (rc == RW_OK)
        rc = refuse_twice(out, list->arena);
    for (int32_t i = 0; i < out->n_responses && rc == RW_OK; i++) {
        if (out->responses[i].error_code)
            continue;
        struct rw_remove_topic_record *r = rw_meta_add(list, RW_REMOVE_TOPIC_RECORD);
        if (r)
            r->topic_id = out->responses[i].topic_id;
        else
            rc = RW_E_NOMEM;
    }
    return rc;
}

int rw_decide_producer_ids(const struct rw_meta *meta, int32_t broker_id, int32_t n,
                           int64_t *ret_first, struct rw_meta_records *list)
{
    struct rw_producer_ids_record *r = rw_meta_add(list, RW_PRODUCER_IDS_RECORD);
    if (!r)
        return RW_E_NOMEM;
    r->broker_id = broker_id;
    r->next_producer_id = meta->next_producer_id + n;
    *ret_first = meta->next_producer_id;
    return RW_OK;
}

int rw_decide_register_broker(const struct rw_meta *meta, int32_t broker_id, struct rw_str host,
                              uint16_t port, struct rw_str rack, bool unclean,
                              struct rw_meta_records *list)
{
    const struct rw_meta_broker *known = rw_meta_broker(meta, broker_id);
    if (known && !unclean && known->host && rw_str_is(host, known->host) && known->port == port &&
        rw_str_eq(rack, rw_str(known->rack)))
        return RW_OK;
    struct rw_register_broker_record *r = rw_meta_add(list, RW_REGISTER_BROKER_RECORD);
    struct rw_register_broker_record_end_point *e = rw_arena_array(list->arena, 1, sizeof(*e));
    if (!r || !e)
        return RW_E_NOMEM;
    rw_register_broker_record_end_point_init(e);
    e->name = RW_STR_LIT("PLAINTEXT");
    e->host = host;
    e->port = port;
    r->broker_id = broker_id;
    r->broker_epoch = known ? known->epoch + unclean : 0;
    r->n_end_points = 1;
    r->end_points = e;
    r->rack = rack;
    r->fenced = false;
    return RW_OK;
}
