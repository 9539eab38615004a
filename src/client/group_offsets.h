/*
 * The committed offsets of a consumer group, for a reader that chooses its partitions itself: no membership, as Kafka's consumers do it
 * with assign(). The broker refuses while the group has members.
 */
#pragma once

#include "client/cluster.h"

/* offsets: one for each partition of the topic; -1: nothing is committed. RW_E_UNSUPPORTED: the broker has no consumer groups. */
RW_MUST int rw_group_offsets_fetch(struct rw_cluster *c, const char *group,
                                   const struct rw_topic *topic, int64_t *ret_offsets,
                                   struct rw_client_err *err);
/* offsets: of the first n partitions; -1: leave it as it is. */
RW_MUST int rw_group_offsets_commit(struct rw_cluster *c, const char *group,
                                    const struct rw_topic *topic, const int64_t *offsets, int n,
                                    struct rw_client_err *err);
