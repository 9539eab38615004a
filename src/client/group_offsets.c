/* FindCoordinator, then OffsetFetch or OffsetCommit there; again when the coordinator has moved. In the versions that know topics by name. */
#include "client/group_offsets.h"

#include <stdio.h>
#include "base/mem.h"
#include "wire/error.h"

#define MEMORY (16u << 20)
#define TRIES  20

enum { COORDINATOR_CAP = 3, COMMIT_CAP = 9, FETCH_CAP = 7 };

struct question {
    struct rw_cluster *cluster;
    const char *group;
    const struct rw_topic *topic;
    struct rw_arena arena;
    bool again; /* the coordinator moves, or loads */
    struct rw_client_err *err;
};

/* 0; an error of Kafka's that will pass; or RW_E_* with words. */
static int judge(struct question *q, int16_t error)
{
    if (error == 0)
        return RW_OK;
    if (rw_kerr_retriable(error)) {
        q->again = true;
        return RW_OK;
    }
    char what[300];
    snprintf(what, sizeof(what), "the offsets of the consumer group %s", q->group);
    return rw_client_fail_kafka(q->err, error, NULL, 0, what);
}

static int find(struct question *q, int32_t *ret_node)
{
    struct rw_find_coordinator_request request;
    void *response;
    rw_find_coordinator_request_init(&request);
    request.key = rw_str(q->group);
    int rc = rw_cluster_call(q->cluster, RW_ANY_NODE, RW_API_FIND_COORDINATOR, COORDINATOR_CAP,
                             &request, false, &q->arena, &response, q->err);
    if (rc == RW_E_UNSUPPORTED)
        return rw_client_fail(q->err, rc, "the broker has no consumer groups");
    if (rc)
        return rc;
    const struct rw_find_coordinator_response *m = response;
    *ret_node = m->node_id;
    return judge(q, m->error_code);
}

static int fetch(struct question *q, int32_t node, int64_t *offsets)
{
    struct rw_offset_fetch_request request;
    struct rw_offset_fetch_request_topic topic;
    void *response;
    int32_t n = q->topic->n_partitions;
    rw_offset_fetch_request_init(&request);
    rw_offset_fetch_request_topic_init(&topic);
    topic.name = rw_str(q->topic->name);
    topic.partition_indexes = rw_arena_array(&q->arena, (size_t)n + 1, sizeof(int32_t));
    if (!topic.partition_indexes)
        return rw_client_fail(q->err, RW_E_NOMEM, "out of memory");
    for (topic.n_partition_indexes = 0; topic.n_partition_indexes < n; topic.n_partition_indexes++)
        topic.partition_indexes[topic.n_partition_indexes] = topic.n_partition_indexes;
    request.group_id = rw_str(q->group);
    request.topics = &topic;
    request.n_topics = 1;
    int rc = rw_cluster_call(q->cluster, node, RW_API_OFFSET_FETCH, FETCH_CAP, &request, false,
                             &q->arena, &response, q->err);
    if (rc)
        return rc;
    const struct rw_offset_fetch_response *m = response;
    rc = judge(q, m->error_code);
    for (int32_t t = 0; !rc && t < m->n_topics; t++)
        for (int32_t k = 0; !rc && k < m->topics[t].n_partitions; k++) {
            const struct rw_offset_fetch_response_partition *p = &m->topics[t].partitions[k];
            rc = judge(q, p->error_code);
            if (p->partition_index >= 0 && p->partition_index < n)
                offsets[p->partition_index] = p->committed_offset;
        }
    return rc;
}

static int commit(struct question *q, int32_t node, const int64_t *offsets, int n)
{
    struct rw_offset_commit_request request;
    struct rw_offset_commit_request_topic topic;
    void *response;
    rw_offset_commit_request_init(&request);
    rw_offset_commit_request_topic_init(&topic);
    topic.name = rw_str(q->topic->name);
    topic.partitions = rw_arena_array(&q->arena, (size_t)n + 1, sizeof(*topic.partitions));
    if (!topic.partitions)
        return rw_client_fail(q->err, RW_E_NOMEM, "out of memory");
    for (int i = 0; i < n; i++) {
        if (offsets[i] < 0)
            continue;
        struct rw_offset_commit_request_partition *p = &topic.partitions[topic.n_partitions++];
        rw_offset_commit_request_partition_init(p);
        p->partition_index = i;
        p->committed_offset = offsets[i];
        p->committed_metadata = rw_str("");
    }
    request.group_id = rw_str(q->group);
    request.member_id = rw_str("");
    request.topics = &topic;
    request.n_topics = 1;
    int rc = rw_cluster_call(q->cluster, node, RW_API_OFFSET_COMMIT, COMMIT_CAP, &request, false,
                             &q->arena, &response, q->err);
    if (rc)
        return rc;
    const struct rw_offset_commit_response *m = response;
    for (int32_t t = 0; !rc && t < m->n_topics; t++)
        for (int32_t k = 0; !rc && k < m->topics[t].n_partitions; k++)
            rc = judge(q, m->topics[t].partitions[k].error_code);
    return rc;
}

/* offsets are fetched into `to`, or committed from `from`. */
static int ask(struct rw_cluster *c, const char *group, const struct rw_topic *topic, int64_t *to,
               const int64_t *from, int n, struct rw_client_err *err)
{
    struct question q = {.cluster = c, .group = group, .topic = topic, .again = true, .err = err};
    int rc = RW_OK;
    rw_arena_init(&q.arena, MEMORY);
    for (int attempt = 0; !rc && q.again; attempt++) {
        int32_t node = RW_ANY_NODE;
        q.again = false;
        rw_arena_reset(&q.arena);
        if (attempt > 0) {
            rc = attempt < TRIES ? rw_cluster_backoff(c, attempt - 1) : RW_E_TIMEOUT;
            if (rc)
                rw_client_fail(err, rc, "no broker coordinates the consumer group %s", group);
        }
        if (!rc && (attempt > 0 || c->n_nodes == 0))
            rc = rw_cluster_refresh(c, NULL, 0, false, err);
        if (!rc)
            rc = find(&q, &node);
        if (!rc && !q.again)
            rc = to ? fetch(&q, node, to) : commit(&q, node, from, n);
    }
    rw_arena_deinit(&q.arena);
    return rc;
}

int rw_group_offsets_fetch(struct rw_cluster *c, const char *group, const struct rw_topic *topic,
                           int64_t *ret_offsets, struct rw_client_err *err)
{
    for (int32_t i = 0; i < topic->n_partitions; i++)
        ret_offsets[i] = -1;
    return ask(c, group, topic, ret_offsets, NULL, 0, err);
}

int rw_group_offsets_commit(struct rw_cluster *c, const char *group, const struct rw_topic *topic,
                            const int64_t *offsets, int n, struct rw_client_err *err)
{
    return ask(c, group, topic, NULL, offsets, n, err);
}
