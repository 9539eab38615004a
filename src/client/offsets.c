/* ListOffsets: from times, and from the ends, to offsets; one request per leader, retried as a whole. */
#include "client/consumer.h"

#include <stdio.h>
#include "base/mem.h"
#include "wire/error.h"

#define MEMORY (16u << 20)
#define TRIES  20

struct query {
    struct rw_topic *topic;
    const int32_t *partitions;
    int n;
    int64_t timestamp;
    bool read_committed;
    int64_t *offsets;
};

static int take(const struct query *q, const struct rw_list_offsets_response *m, bool *ret_again,
                struct rw_client_err *err)
{
    for (int32_t t = 0; t < m->n_topics; t++) {
        for (int32_t k = 0; k < m->topics[t].n_partitions; k++) {
            const struct rw_list_offsets_response_partition *p = &m->topics[t].partitions[k];
            if (p->error_code != 0 && rw_kerr_retriable(p->error_code)) {
                *ret_again = true;
                continue;
            }
            if (p->error_code != 0) {
                char what[300];
                snprintf(what, sizeof(what), "offsets of %s, partition %d", q->topic->name,
                         p->partition_index);
                return rw_client_fail_kafka(err, p->error_code, NULL, 0, what);
            }
            for (int i = 0; i < q->n; i++)
                if (q->partitions[i] == p->partition_index)
                    q->offsets[i] = p->offset;
        }
    }
    return RW_OK;
}

/* The partitions that `node` leads. */
static int ask(struct rw_cluster *c, const struct query *q, int32_t node, struct rw_arena *arena,
               bool *ret_again, struct rw_client_err *err)
{
    struct rw_list_offsets_request request;
    struct rw_list_offsets_request_topic topic;
    void *response;
    rw_arena_reset(arena);
    rw_list_offsets_request_init(&request);
    rw_list_offsets_request_topic_init(&topic);
    topic.name = rw_str(q->topic->name);
    topic.partitions = rw_arena_array(arena, (size_t)q->n + 1, sizeof(*topic.partitions));
    if (!topic.partitions)
        return rw_client_fail(err, RW_E_NOMEM, "out of memory");
    for (int i = 0; i < q->n; i++) {
        if (q->topic->partitions[q->partitions[i]].leader != node)
            continue;
        struct rw_list_offsets_request_partition *p = &topic.partitions[topic.n_partitions++];
        rw_list_offsets_request_partition_init(p);
        p->partition_index = q->partitions[i];
        p->timestamp = q->timestamp;
    }
    if (topic.n_partitions == 0)
        return RW_OK;
    request.replica_id = -1;
    request.isolation_level = q->read_committed;
    request.topics = &topic;
    request.n_topics = 1;
    int rc = rw_cluster_call(c, node, RW_API_LIST_OFFSETS, INT16_MAX, &request, false, arena,
                             &response, err);
    return rc == RW_OK ? take(q, response, ret_again, err) : rc;
}

int rw_list_offsets(struct rw_cluster *c, struct rw_topic *topic, const int32_t *partitions, int n,
                    int64_t timestamp, bool read_committed, int64_t *ret_offsets,
                    struct rw_client_err *err)
{
    struct query q = {topic, partitions, n, timestamp, read_committed, ret_offsets};
    struct rw_arena arena;
    int rc = RW_OK;
    bool again = true;
    for (int i = 0; i < n; i++)
        if (partitions[i] < 0 || partitions[i] >= topic->n_partitions)
            return rw_client_fail(err, RW_E_NOT_FOUND, "topic %s has no partition %d (it has %d)",
                                  topic->name, partitions[i], topic->n_partitions);
    rw_arena_init(&arena, MEMORY);
    for (int attempt = 0; rc == RW_OK && again; attempt++) {
        again = false;
        if (attempt > 0) {
            const char *name = topic->name;
            rc = attempt < TRIES ? rw_cluster_backoff(c, attempt - 1) : RW_E_TIMEOUT;
            if (rc != RW_OK)
                rw_client_fail(err, rc, "topic %s: no leader answers for its offsets", name);
            else
                rc = rw_cluster_refresh(c, &name, 1, false, err);
        }
        for (int i = 0; i < n; i++)
            again |= topic->partitions[partitions[i]].leader < 0;
        for (int i = 0; rc == RW_OK && i < c->n_nodes; i++)
            rc = ask(c, &q, c->nodes[i].id, &arena, &again, err);
    }
    rw_arena_deinit(&arena);
    return rc;
}
