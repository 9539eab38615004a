/* Which handler serves which API. What is not here is not advertised (schema/: "advertised"). */
#include "broker/api/table.h"

#include "broker/api/api.h"

const struct rw_handler_row rw_handlers[RW_HANDLERS] = {
    {RW_API_PRODUCE, rw_handle_produce},
    {RW_API_FETCH, rw_handle_fetch},
    {RW_API_LIST_OFFSETS, rw_handle_list_offsets},
    {RW_API_METADATA, rw_handle_metadata},
    {RW_API_API_VERSIONS, rw_handle_api_versions},
    {RW_API_CREATE_TOPICS, rw_handle_create_topics},
    {RW_API_DELETE_TOPICS, rw_handle_delete_topics},
    {RW_API_DELETE_RECORDS, rw_handle_delete_records},
    {RW_API_INIT_PRODUCER_ID, rw_handle_init_producer_id},
    {RW_API_OFFSET_FOR_LEADER_EPOCH, rw_handle_offset_for_leader_epoch},
    {RW_API_DESCRIBE_CONFIGS, rw_handle_describe_configs},
    {RW_API_ALTER_CONFIGS, rw_handle_alter_configs},
    {RW_API_CREATE_PARTITIONS, rw_handle_create_partitions},
    {RW_API_INCREMENTAL_ALTER_CONFIGS, rw_handle_incremental_alter_configs},
    {RW_API_DESCRIBE_CLUSTER, rw_handle_describe_cluster},
};
const size_t rw_handlers_count = RW_HANDLERS;
