/*
 * CreateTopics and CreatePartitions. Rules and error codes as in Apache Kafka's
 * ReplicationControlManager; a name that differs from an existing one only in '.' and '_' is refused,
 * because metric names can not tell them apart.
 */
#include "meta/decide_private.h"

#include "base/same.h"
#include "wire/error.h"

typedef struct rw_create_topics_request_topic topic_in;
typedef struct rw_create_topics_response_topic topic_out;

const char *rw_topic_name_problem(struct rw_str name)
{
    if (name.n <= 0)
        return "the topic name is empty";
    if (name.n > RW_TOPIC_NAME_MAX)
        return "the topic name is longer than 249 characters";
    if (rw_str_is(name, ".") || rw_str_is(name, ".."))
        return "a topic can not be called '.' or '..'";
    for (int32_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '.' || c == '_' || c == '-';
        if (!fine)
            return "the topic name has a character other than ASCII letters, digits, '.', '_' and "
                   "'-'";
    }
    return NULL;
}

static void refuse(topic_out *out, int16_t error, const char *why)
{
    out->error_code = error;
    out->error_message = rw_str(why);
}

static bool check_name(const struct rw_meta *meta, struct rw_str name, bool twice, topic_out *out,
                       struct rw_arena *arena)
{
    if (twice) {
        refuse(out, RW_KERR_INVALID_REQUEST, "the request names this topic twice");
        return false;
    }
    const char *problem = rw_topic_name_problem(name);
    if (problem) {
        refuse(out, RW_KERR_INVALID_TOPIC_EXCEPTION, problem);
        return false;
    }
    if (rw_str_is(name, "__cluster_metadata")) {
        refuse(out, RW_KERR_INVALID_TOPIC_EXCEPTION, "this name is the broker's own");
        return false;
    }
    if (rw_meta_topic(meta, name)) {
        refuse(out, RW_KERR_TOPIC_ALREADY_EXISTS,
               rw_arena_printf(arena, "Topic '%.*s' already exists.", (int)name.n, name.p));
        return false;
    }
    const struct rw_meta_topic *other = rw_meta_topic_like(meta, name);
    if (other)
        refuse(out, RW_KERR_INVALID_TOPIC_EXCEPTION,
               rw_arena_printf(arena,
                               "Topic '%.*s' collides with existing topic '%s': they differ "
                               "only in '.' and '_'",
                               (int)name.n, name.p, other->name));
    return other == NULL;
}

/* Fills in out->num_partitions and out->replication_factor. */
static bool check_numbers(const struct rw_meta *meta, const struct rw_meta_policy *policy,
                          const topic_in *in, topic_out *out)
{
    out->num_partitions =
        in->num_partitions == -1 ? policy->default_partitions : in->num_partitions;
    out->replication_factor = in->replication_factor;
    if (in->replication_factor == -1) /* the default never asks for more brokers than there are */
        out->replication_factor = policy->default_replication > (int16_t)meta->n_brokers
                                      ? (int16_t)meta->n_brokers
                                      : policy->default_replication;
    if (out->num_partitions <= 0)
        refuse(out, RW_KERR_INVALID_PARTITIONS,
               "Number of partitions must be larger than 0, or -1 for the default");
    else if (out->replication_factor <= 0)
        refuse(out, RW_KERR_INVALID_REPLICATION_FACTOR,
               "Replication factor must be larger than 0, or -1 for the default");
    else if ((size_t)out->replication_factor > meta->n_brokers)
        refuse(out, RW_KERR_INVALID_REPLICATION_FACTOR,
               "Replication factor is larger than the number of brokers");
    return out->error_code == 0;
}

/* The brokers of each partition of a manual assignment, which may come in any order; NULL: the
 * assignment has none for it. Out of range or twice the same, it leaves a gap elsewhere. */
static int32_t **index_assignment(const topic_in *in, struct rw_arena *arena)
{
    int32_t **by_index = rw_arena_array(arena, (size_t)in->n_assignments + 1, sizeof(*by_index));
    for (int32_t i = 0; by_index && i < in->n_assignments; i++) {
        int32_t k = in->assignments[i].partition_index;
        if (k >= 0 && k < in->n_assignments)
            by_index[k] = in->assignments[i].broker_ids;
    }
    return by_index;
}

static bool check_assignment(const struct rw_meta *meta, const topic_in *in,
                             int32_t *const *by_index, topic_out *out)
{
    if (in->num_partitions != -1 || in->replication_factor != -1) {
        refuse(out, RW_KERR_INVALID_REQUEST,
               "A manual assignment excludes a number of partitions and a replication factor");
        return false;
    }
    int32_t n = in->n_assignments, expected = in->assignments[0].n_broker_ids;
    for (int32_t i = 0; i < n; i++) {
        const char *problem =
            by_index[i] ? rw_meta_assignment_problem(meta, in->assignments[i].broker_ids,
                                                     in->assignments[i].n_broker_ids, expected)
                        : "the partitions of the assignment are not numbered 0, 1, 2 ...";
        if (problem) {
            refuse(out, RW_KERR_INVALID_REPLICA_ASSIGNMENT, problem);
            return false;
        }
    }
    out->num_partitions = n;
    out->replication_factor = (int16_t)expected;
    return true;
}

/* Checks the settings and, when they are fine, adds their records. */
static int take_configs(const struct rw_meta_policy *policy, const topic_in *in, topic_out *out,
                        struct rw_meta_records *list)
{
    struct rw_pair *own = rw_arena_array(list->arena, (size_t)in->n_configs + 1, sizeof(*own));
    if (!own)
        return RW_E_NOMEM;
    struct rw_str why = RW_STR_NULL;
    int rc = RW_OK;
    for (int32_t i = 0; i < in->n_configs && rc == RW_OK; i++) {
        own[i].name = in->configs[i].name;
        rc = policy->check_value(policy->arg, RW_META_TOPIC_SETTING, own[i].name,
                                 in->configs[i].value, list->arena, &own[i].value, &why);
        for (int32_t j = 0; j < i && rc == RW_OK; j++)
            if (rw_str_eq(own[i].name, own[j].name)) {
                why = RW_STR_LIT("the request sets a key twice");
                rc = RW_E_INVAL;
            }
    }
    if (rc == RW_OK)
        rc = policy->check_all(policy->arg, RW_META_TOPIC_SETTING, own, (size_t)in->n_configs,
                               list->arena, &why);
    if (rc == RW_E_INVAL) {
        out->error_code = RW_KERR_INVALID_CONFIG;
        out->error_message = why;
        return RW_OK;
    }
    for (int32_t i = 0; i < in->n_configs && rc == RW_OK; i++)
        rc = rw_meta_add_config(list, RW_RESOURCE_TOPIC, in->name, own[i].name, own[i].value);
    return rc;
}

static int add_partitions(const struct rw_meta *meta, int32_t *const *by_index,
                          const topic_out *out, struct rw_meta_records *list)
{
    size_t start = out->topic_id.b[0];
    for (int32_t i = 0; i < out->num_partitions; i++) {
        int32_t *ids = by_index ? by_index[i] : NULL;
        if (!ids && rw_meta_place(meta, list->arena, start, i, out->replication_factor, &ids))
            return RW_E_NOMEM;
        if (rw_meta_add_partition(list, out->topic_id, i, ids, out->replication_factor))
            return RW_E_NOMEM;
    }
    return RW_OK;
}

/* How many partitions a request may still make, and the words when it wants more. */
struct budget {
    int64_t left;
    const char *why;
};

static struct budget partition_budget(const struct rw_meta *meta,
                                      const struct rw_meta_policy *policy)
{
    struct budget b = {(int64_t)policy->partitions_max - (int64_t)meta->n_partitions,
                       "Too many partitions: see rollway.topic.partitions.max and "
                       "rollway.partitions.max"};
    if (b.left > policy->request_partitions_max)
        b.left = policy->request_partitions_max;
    int64_t room = policy->partitions_room(policy->arg);
    if (room < b.left)
        b = (struct budget){room, "The broker has too few open files for the logs of so many "
                                  "partitions: raise its limit (ulimit -n, LimitNOFILE= of "
                                  "systemd, --ulimit nofile= of containers)"};
    return b;
}

static int create_topic(const struct rw_meta *meta, const struct rw_meta_policy *policy,
                        const struct rw_create_topics_request *in, int32_t i, bool twice,
                        topic_out *out, struct budget *budget, struct rw_meta_records *list)
{
    const topic_in *t = &in->topics[i];
    out->name = t->name;
    if (!check_name(meta, t->name, twice, out, list->arena))
        return RW_OK;
    bool too_many = t->n_assignments > 0 && t->n_assignments > budget->left;
    int32_t **by_index = NULL;
    if (t->n_assignments > 0 && !too_many) {
        by_index = index_assignment(t, list->arena);
        if (!by_index)
            return RW_E_NOMEM;
    }
    if (!too_many && (by_index ? !check_assignment(meta, t, by_index, out)
                               : !check_numbers(meta, policy, t, out)))
        return RW_OK;
    if (too_many || out->num_partitions > budget->left) {
        refuse(out, RW_KERR_POLICY_VIOLATION, budget->why);
        return RW_OK;
    }
    size_t mark = list->n;
    out->topic_id = policy->new_id(policy->arg);
    struct rw_topic_record *r = rw_meta_add(list, RW_TOPIC_RECORD);
    if (!r)
        return RW_E_NOMEM;
    r->name = t->name;
    r->topic_id = out->topic_id;
    int rc = take_configs(policy, t, out, list);
    if (rc == RW_OK && out->error_code == 0)
        rc = add_partitions(meta, by_index, out, list);
    if (out->error_code || in->validate_only)
        list->n = mark;
    if (!out->error_code) /* also when it is only asked: the answer is what creating would get */
        budget->left -= out->num_partitions;
    if (in->validate_only)
        out->topic_id = (struct rw_uuid){{0}};
    return rc;
}

int rw_decide_create_topics(const struct rw_meta *meta, const struct rw_meta_policy *policy,
                            const struct rw_create_topics_request *in,
                            struct rw_create_topics_response *out, struct rw_meta_records *list)
{
    out->topics = rw_arena_array(list->arena, (size_t)in->n_topics, sizeof(*out->topics));
    if (!out->topics && in->n_topics > 0)
        return RW_E_NOMEM;
    struct rw_str *names = rw_arena_array(list->arena, (size_t)in->n_topics + 1, sizeof(*names));
    int32_t *same;
    for (int32_t i = 0; names && i < in->n_topics; i++)
        names[i] = in->topics[i].name;
    if (!names || rw_find_same(names, in->n_topics, list->arena, &same))
        return RW_E_NOMEM;
    struct budget budget = partition_budget(meta, policy);
    for (out->n_topics = 0; out->n_topics < in->n_topics; out->n_topics++) {
        topic_out *t = &out->topics[out->n_topics];
        rw_create_topics_response_topic_init(t);
        int rc = create_topic(meta, policy, in, out->n_topics, same[out->n_topics] >= 0, t, &budget,
                              list);
        if (rc)
            return rc;
        if (t->error_code) {
            t->num_partitions = -1;
            t->replication_factor = -1;
        }
    }
    return RW_OK;
}

/* ---- CreatePartitions ---- */

typedef struct rw_create_partitions_request_topic grow_in;
typedef struct rw_create_partitions_response_topic grow_out;

static void refuse_grow(grow_out *out, int16_t error, const char *why)
{
    out->error_code = error;
    out->error_message = rw_str(why);
}

static bool check_grow(const struct rw_meta *meta, const struct rw_meta_topic *t, const grow_in *in,
                       grow_out *out, const struct budget *budget, struct rw_arena *arena)
{
    int32_t added = t ? in->count - t->n_partitions : 0;
    if (!t)
        refuse_grow(out, RW_KERR_UNKNOWN_TOPIC_OR_PARTITION, "This topic does not exist");
    else if (added <= 0)
        refuse_grow(out, RW_KERR_INVALID_PARTITIONS,
                    rw_arena_printf(arena,
                                    added == 0 ? "Topic already has %d partition(s)."
                                               : "The topic currently has %d partition(s); "
                                                 "partitions can not be taken away.",
                                    t->n_partitions));
    else if (added > budget->left)
        refuse_grow(out, RW_KERR_POLICY_VIOLATION, budget->why);
    else if (in->n_assignments >= 0 && in->n_assignments != added)
        refuse_grow(out, RW_KERR_INVALID_REPLICA_ASSIGNMENT,
                    "The assignment must have as many entries as there are new partitions");
    for (int32_t i = 0; out->error_code == 0 && i < in->n_assignments; i++) {
        const char *problem = rw_meta_assignment_problem(
            meta, in->assignments[i].broker_ids, in->assignments[i].n_broker_ids,
            t->n_partitions ? t->partitions[0].n_replicas : 0);
        if (problem)
            refuse_grow(out, RW_KERR_INVALID_REPLICA_ASSIGNMENT, problem);
    }
    return out->error_code == 0;
}

static int grow_topic(const struct rw_meta *meta, const struct rw_meta_topic *t, const grow_in *in,
                      struct rw_meta_records *list)
{
    int32_t replication = t->n_partitions ? t->partitions[0].n_replicas : 1;
    for (int32_t i = t->n_partitions; i < in->count; i++) {
        int32_t *ids = NULL;
        if (in->n_assignments > 0)
            ids = in->assignments[i - t->n_partitions].broker_ids;
        else if (rw_meta_place(meta, list->arena, t->id.b[0], i, (int16_t)replication, &ids))
            return RW_E_NOMEM;
        if (rw_meta_add_partition(list, t->id, i, ids, replication))
            return RW_E_NOMEM;
    }
    return RW_OK;
}

int rw_decide_create_partitions(const struct rw_meta *meta, const struct rw_meta_policy *policy,
                                const struct rw_create_partitions_request *in,
                                struct rw_create_partitions_response *out,
                                struct rw_meta_records *list)
{
    out->results = rw_arena_array(list->arena, (size_t)in->n_topics, sizeof(*out->results));
    if (!out->results && in->n_topics > 0)
        return RW_E_NOMEM;
    struct rw_str *names = rw_arena_array(list->arena, (size_t)in->n_topics + 1, sizeof(*names));
    int32_t *same;
    for (int32_t i = 0; names && i < in->n_topics; i++)
        names[i] = in->topics[i].name;
    if (!names || rw_find_same(names, in->n_topics, list->arena, &same))
        return RW_E_NOMEM;
    struct budget budget = partition_budget(meta, policy);
    for (int32_t i = 0; i < in->n_topics; i++) {
        grow_out *r = &out->results[out->n_results++];
        const struct rw_meta_topic *t = rw_meta_topic(meta, in->topics[i].name);
        rw_create_partitions_response_topic_init(r);
        r->name = in->topics[i].name;
        if (same[i] >= 0)
            refuse_grow(r, RW_KERR_INVALID_REQUEST, "the request names this topic twice");
        if (r->error_code || !check_grow(meta, t, &in->topics[i], r, &budget, list->arena))
            continue;
        budget.left -= in->topics[i].count - t->n_partitions;
        if (in->validate_only)
            continue;
        int rc = grow_topic(meta, t, &in->topics[i], list);
        if (rc)
            return rc;
    }
    return RW_OK;
}
