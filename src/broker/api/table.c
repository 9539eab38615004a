/* Which handler serves which API. What is not here is not advertised (schema/: "advertised"). */
#include "broker/api/table.h"

#include "broker/api/api.h"

const struct rw_handler_row rw_handlers[RW_HANDLERS] = {
    {RW_API_PRODUCE, rw_handle_produce, true},
    {RW_API_FETCH, rw_handle_fetch, true},
    {RW_API_LIST_OFFSETS, rw_handle_list_offsets, true},
    {RW_API_METADATA, rw_handle_metadata, false},
    {RW_API_API_VERSIONS, rw_handle_api_versions, false},
    {RW_API_CREATE_TOPICS, rw_handle_create_topics, false},
    {RW_API_DELETE_TOPICS, rw_handle_delete_topics, false},
    {RW_API_DELETE_RECORDS, rw_handle_delete_records, false},
    {RW_API_INIT_PRODUCER_ID, rw_handle_init_producer_id, false},
    {RW_API_OFFSET_FOR_LEADER_EPOCH, rw_handle_offset_for_leader_epoch, false},
    {RW_API_DESCRIBE_CONFIGS, rw_handle_describe_configs, false},
    {RW_API_ALTER_CONFIGS, rw_handle_alter_configs, false},
    {RW_API_CREATE_PARTITIONS, rw_handle_create_partitions, false},
    {RW_API_INCREMENTAL_ALTER_CONFIGS, rw_handle_incremental_alter_configs, false},
    {RW_API_DESCRIBE_CLUSTER, rw_handle_describe_cluster, false},
};
const size_t rw_handlers_count = RW_HANDLERS;
