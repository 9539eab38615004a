/* What struct rw_cli is made of; for src/cli only. Commands use command.h. */
#pragma once

#include "cli/command.h"
#include "cli/parse.h"

struct rw_cli {
    const struct rw_command *const *table;
    const char *program; /* argv[0] */
    struct rw_parsed parsed;
    struct rw_buf out; /* standard output, not yet written */
    bool stdout_tty, stderr_tty;
    bool stdout_failed;
    int width; /* columns of the terminal */
};

int rw_cli_init(struct rw_cli *cli, const struct rw_command *const *table, int argc, char **argv);
void rw_cli_deinit(struct rw_cli *cli);
/* Shows text on the terminal through $PAGER, or appends it to standard output. */
void rw_cli_page(struct rw_cli *cli, struct rw_buf *text);
void rw_cli_catch_signals(void);
