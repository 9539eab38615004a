/* What the decide_*.c files share. */
#pragma once

#include "meta/decide.h"
#include "meta/image_private.h"

/* Brokers for partition `index` of a topic: round robin from `start`, so that leaders spread. */
RW_MUST int rw_meta_place(const struct rw_meta *meta, struct rw_arena *arena, size_t start,
                          int32_t index, int16_t replication, int32_t **ret_ids);
/* Words when a manual assignment can not be, else NULL. */
const char *rw_meta_assignment_problem(const struct rw_meta *meta, const int32_t *ids, int32_t n,
                                       int32_t expected);
/* A new partition led by its first replica. */
RW_MUST int rw_meta_add_partition(struct rw_meta_records *list, struct rw_uuid topic_id,
                                  int32_t index, int32_t *replicas, int32_t n_replicas);
RW_MUST int rw_meta_add_config(struct rw_meta_records *list, int8_t resource_type,
                               struct rw_str resource, struct rw_str name, struct rw_str value);
