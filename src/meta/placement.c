/*
 * Which brokers get a partition's replicas, and the records of new partitions. Round robin over the
 * brokers in order of their ids; racks are not looked at yet.
 */
#include "meta/decide_private.h"

int rw_meta_place(const struct rw_meta *meta, struct rw_arena *arena, size_t start, int32_t index,
                  int16_t replication, int32_t **ret_ids)
{
    int32_t *ids = rw_arena_array(arena, (size_t)replication, sizeof(*ids));
    if (!ids)
        return RW_E_NOMEM;
    for (int16_t r = 0; r < replication; r++)
        ids[r] = meta->brokers[(start + (size_t)index + (size_t)r) % meta->n_brokers].id;
    *ret_ids = ids;
    return RW_OK;
}

const char *rw_meta_assignment_problem(const struct rw_meta *meta, const int32_t *ids, int32_t n,
                                       int32_t expected)
{
    if (n <= 0)
        return "a partition of the assignment has no replicas";
    if (expected > 0 && n != expected)
        return "the partitions of the assignment have different numbers of replicas";
    for (int32_t i = 0; i < n; i++) {
        if (!rw_meta_broker(meta, ids[i]))
            return "the assignment names a broker that does not exist";
        for (int32_t j = 0; j < i; j++)
            if (ids[i] == ids[j])
                return "a partition of the assignment names a broker twice";
    }
    return NULL;
}

int rw_meta_add_partition(struct rw_meta_records *list, struct rw_uuid topic_id, int32_t index,
                          int32_t *replicas, int32_t n_replicas)
{
    struct rw_partition_record *r = rw_meta_add(list, RW_PARTITION_RECORD);
    if (!r)
        return RW_E_NOMEM;
    r->partition_id = index;
    r->topic_id = topic_id;
    r->replicas = replicas;
    r->n_replicas = n_replicas;
    r->isr = replicas;
    r->n_isr = n_replicas;
    r->leader = replicas[0];
    r->leader_epoch = 0;
    r->partition_epoch = 0;
    return RW_OK;
}

int rw_meta_add_config(struct rw_meta_records *list, int8_t resource_type, struct rw_str resource,
                       struct rw_str name, struct rw_str value)
{
    struct rw_config_record *r = rw_meta_add(list, RW_CONFIG_RECORD);
    if (!r)
        return RW_E_NOMEM;
    r->resource_type = resource_type;
    r->resource_name = resource;
    r->name = name;
    r->value = value;
    return RW_OK;
}
