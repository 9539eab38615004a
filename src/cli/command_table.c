/* All commands. One line each; the order is that of the lists in help and completion. */
#include "cli/commands.h"

#include <stddef.h>

const struct rw_command *const rw_commands[] = {&rw_cmd_completion,  &rw_cmd_help,
                                                &rw_cmd_version,     &rw_cmd_complete_hidden,
                                                &rw_cmd_man_hidden,  &rw_cmd_log_backup,
                                                &rw_cmd_log_dump,    &rw_cmd_log_export,
                                                &rw_cmd_log_import,  &rw_cmd_log_reindex,
                                                &rw_cmd_log_restore, &rw_cmd_log_truncate,
                                                &rw_cmd_log_verify,  NULL};
