/* The partitions of a shard as numbers, for a scrape that asks for each. */
#include "broker/metrics.h"
#include "broker/partitions.h"

int rw_partitions_measure(struct rw_shard *s, const struct rw_meta *meta, struct rw_metrics *sum)
{
    struct rw_partition *p;
    size_t at = 0;
    int rc = RW_OK;
    while (rc == RW_OK && (p = rw_partitions_next(s, &at))) {
        const struct rw_meta_topic *t = rw_meta_topic_by_id(meta, p->topic_id);
        if (!t || p->index >= t->n_partitions)
            continue;
        const struct rw_meta_partition *m = &t->partitions[p->index];
        struct rw_partition_row row = {
            .topic = p->topic,
            .index = p->index,
            .leader = m->leader,
            .preferred = m->n_replicas > 0 ? m->replicas[0] : RW_META_NO_LEADER,
            .replicas = m->n_replicas,
            .in_sync = m->n_isr,
            .in_sync_min = p->config.min_insync_replicas,
            .start = p->part.start,
            .end = p->part.end,
            .high_watermark = p->part.high_watermark,
            .bytes = p->log ? rw_log_bytes(p->log) : 0,
            .offline = p->part.role != RW_PART_LEADER,
        };
        rc = rw_metrics_partition(sum, &row);
    }
    return rc;
}
