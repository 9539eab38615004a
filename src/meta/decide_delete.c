/*
 * DeleteTopics: by name, or by id from version 6 on. Also what is decided in one line: blocks of
 * producer ids, the registration of a broker.
 */
#include "meta/decide_private.h"

#include "wire/error.h"

typedef struct rw_delete_topics_response_topic topic_out;

static void refuse(topic_out *out, int16_t error, const char *why)
{
    out->error_code = error;
    out->error_message = rw_str(why);
}

/* The topic when it may go, NULL with the error set otherwise. */
static const struct rw_meta_topic *judge(const struct rw_meta *meta,
                                         const struct rw_meta_policy *policy, topic_out *out)
{
    bool by_id = !rw_uuid_is_zero(out->topic_id);
    const struct rw_meta_topic *t = NULL;
    if (by_id && out->name.n >= 0) {
        refuse(out, RW_KERR_INVALID_REQUEST, "name and id of a topic exclude each other");
        return NULL;
    }
    if (!by_id && out->name.n < 0) {
        refuse(out, RW_KERR_INVALID_REQUEST, "neither name nor id of the topic is given");
        return NULL;
    }
    t = by_id ? rw_meta_topic_by_id(meta, out->topic_id) : rw_meta_topic(meta, out->name);
    if (!t) {
        refuse(out, by_id ? RW_KERR_UNKNOWN_TOPIC_ID : RW_KERR_UNKNOWN_TOPIC_OR_PARTITION,
               "This topic does not exist");
        return NULL;
    }
    out->name = rw_str(t->name);
    out->topic_id = t->id;
    if (!policy->delete_enabled) {
        refuse(out, RW_KERR_TOPIC_DELETION_DISABLED, "delete.topic.enable is false");
        return NULL;
    }
    return t;
}

static bool named_before(const struct rw_delete_topics_response *out, const topic_out *t)
{
    for (int32_t i = 0; i < out->n_responses; i++)
        if (out->responses[i].error_code == 0 &&
            rw_uuid_eq(out->responses[i].topic_id, t->topic_id))
            return true;
    return false;
}

int rw_decide_delete_topics(const struct rw_meta *meta, const struct rw_meta_policy *policy,
                            const struct rw_delete_topics_request *in,
                            struct rw_delete_topics_response *out, struct rw_meta_records *list)
{
    int32_t n_names = in->n_topic_names > 0 ? in->n_topic_names : 0;
    int32_t n_topics = in->n_topics > 0 ? in->n_topics : 0;
    out->responses =
        rw_arena_array(list->arena, (size_t)n_names + (size_t)n_topics, sizeof(*out->responses));
    if (!out->responses && n_names + n_topics > 0)
        return RW_E_NOMEM;
    for (int32_t i = 0; i < n_names + n_topics; i++) {
        topic_out t;
        rw_delete_topics_response_topic_init(&t);
        t.name = i < n_names ? in->topic_names[i] : in->topics[i - n_names].name;
        if (i >= n_names)
            t.topic_id = in->topics[i - n_names].topic_id;
        const struct rw_meta_topic *found = judge(meta, policy, &t);
        if (found && named_before(out, &t)) {
            refuse(&t, RW_KERR_INVALID_REQUEST, "the request names this topic twice");
            found = NULL;
        }
        out->responses[out->n_responses++] = t;
        if (!found)
            continue;
        struct rw_remove_topic_record *r = rw_meta_add(list, RW_REMOVE_TOPIC_RECORD);
        if (!r)
            return RW_E_NOMEM;
        r->topic_id = found->id;
        /* The image's name is gone when the answer leaves. */
        topic_out *kept = &out->responses[out->n_responses - 1];
        kept->name = rw_arena_str(list->arena, found->name);
        if (kept->name.n < 0)
            return RW_E_NOMEM;
    }
    return RW_OK;
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
