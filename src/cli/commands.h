/* One line per command; each is defined in the file named after it. */
#pragma once

#include "cli/command.h"

extern const struct rw_command rw_cmd_completion;      /* cmd_completion.c */
extern const struct rw_command rw_cmd_complete_hidden; /* cmd_completion.c */
extern const struct rw_command rw_cmd_help;            /* cmd_help.c */
extern const struct rw_command rw_cmd_man_hidden;      /* cmd_help.c */
extern const struct rw_command rw_cmd_version;         /* cmd_version.c */
