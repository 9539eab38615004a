/* What `rollway server` and `rollway dev` share: everything but their defaults. */
#pragma once

#include "broker/config.h"
#include "cli/command.h"

/* Loads the configuration, runs the broker until it is told to stop; an exit code. */
int rw_server_run(struct rw_cli *cli, enum rw_config_profile profile);

/* The options of both commands. */
extern const struct rw_option rw_server_options[];
