/* All commands. One line each; the order is that of the lists in help and completion. */
#include "cli/commands.h"

#include <stddef.h>

/* One command per line, so that two people can add one each. */
/* clang-format off */
const struct rw_command *const rw_commands[] = {
    &rw_cmd_dev,
    &rw_cmd_server,
    &rw_cmd_produce,
    &rw_cmd_pipe,
    &rw_cmd_consume,
    &rw_cmd_topic_create,
    &rw_cmd_topic_list,
    &rw_cmd_topic_describe,
    &rw_cmd_topic_alter,
    &rw_cmd_topic_add_partitions,
    &rw_cmd_topic_delete,
    &rw_cmd_topic_trim,
    &rw_cmd_cluster_info,
    &rw_cmd_cluster_health,
    &rw_cmd_cluster_config_get,
    &rw_cmd_cluster_config_set,
    &rw_cmd_log_backup,
    &rw_cmd_log_dump,
    &rw_cmd_log_export,
    &rw_cmd_log_import,
    &rw_cmd_log_reindex,
    &rw_cmd_log_restore,
    &rw_cmd_log_truncate,
    &rw_cmd_log_verify,
    &rw_cmd_dlq_list,
    &rw_cmd_dlq_show,
    &rw_cmd_dlq_replay,
    &rw_cmd_logger,
    &rw_cmd_logger_check,
    &rw_cmd_logger_rescue,
    &rw_cmd_completion,
    &rw_cmd_help,
    &rw_cmd_version,
    &rw_cmd_complete_hidden,
    &rw_cmd_config_hidden,
    &rw_cmd_man_hidden,
    NULL
};
/* clang-format on */
