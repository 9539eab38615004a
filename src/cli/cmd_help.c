/* rollway help COMMAND, and the hidden commands that documents are made with. */
#include "cli/commands.h"

#include <string.h>
#include <unistd.h>
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/config_docs.h"
#include "cli/man.h"

static int run_help(struct rw_cli *cli)
{
    int n = rw_cli_operand_count(cli), used;
    struct rw_buf text;
    bool bold = rw_cli_colour(cli, STDOUT_FILENO);
    int rc = RW_EXIT_OK;
    rw_buf_init(&text);
    const struct rw_command *c = rw_command_find(cli->table, cli->parsed.operands, n, &used);
    if (n == 0) {
        rw_help_commands(&text, cli->table, "", bold);
    } else if (c && used == n) {
        rw_help_command(&text, c, true, cli->width, bold);
    } else if (!c && used == n) {
        char group[64] = "";
        for (int i = 0; i < n; i++) {
            size_t at = strlen(group);
            snprintf(group + at, sizeof(group) - at, "%s%s", i ? " " : "", rw_cli_operand(cli, i));
        }
        rw_help_commands(&text, cli->table, group, bold);
    } else {
        rc = rw_cli_fail(cli, RW_EXIT_USAGE, "rollway -h lists the commands",
                         "there is no command \"%s\"", rw_cli_operand(cli, used));
    }
    if (text.n)
        rw_cli_page(cli, &text);
    rw_buf_deinit(&text);
    return rc;
}

const struct rw_command rw_cmd_help = {
    .name = "help",
    .operands = "COMMAND...",
    .operands_complete = "command",
    .operands_max = -1,
    .summary = "explain a command",
    .local = true,
    .run = run_help,
};

static int run_man(struct rw_cli *cli)
{
    if (rw_cli_operand_count(cli) == 0) {
        rw_man_pages(rw_cli_out(cli), cli->table);
        return RW_EXIT_OK;
    }
    if (!rw_man_page(rw_cli_out(cli), cli->table, rw_cli_operand(cli, 0)))
        return rw_cli_fail(cli, RW_EXIT_NOT_FOUND, NULL, "there is no page \"%s\"",
                           rw_cli_operand(cli, 0));
    return RW_EXIT_OK;
}

const struct rw_command rw_cmd_man_hidden = {
    .name = "__man",
    .operands = "PAGE",
    .operands_max = 1,
    .summary = "print a man page as scdoc source, or the names of all pages",
    .local = true,
    .run = run_man,
};

static int run_config(struct rw_cli *cli)
{
    if (strcmp(rw_cli_operand(cli, 0), "markdown") == 0)
        rw_config_markdown(rw_cli_out(cli));
    else if (strcmp(rw_cli_operand(cli, 0), "man") == 0)
        rw_config_man(rw_cli_out(cli));
    else
        return rw_cli_usage(cli, "markdown or man");
    return RW_EXIT_OK;
}

const struct rw_command rw_cmd_config_hidden = {
    .name = "__config",
    .operands = "KIND",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "print all configuration keys: markdown, or man (scdoc source)",
    .local = true,
    .run = run_config,
};
