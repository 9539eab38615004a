/* All commands. One line each; the order is that of the lists in help and completion. */
#include "cli/commands.h"

#include <stddef.h>

const struct rw_command *const rw_commands[] = {&rw_cmd_completion, &rw_cmd_help,
                                                &rw_cmd_version,    &rw_cmd_complete_hidden,
                                                &rw_cmd_man_hidden, NULL};
