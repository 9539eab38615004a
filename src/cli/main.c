/* The rollway program: parse, show help or run the command, flush, exit code. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "cli/cli.h"
#include "cli/help.h"

static int show_wrong(struct rw_cli *cli)
{
    const struct rw_parsed *p = &cli->parsed;
    return rw_cli_fail(cli, RW_EXIT_USAGE, p->hint[0] ? p->hint : NULL, "%s", p->error);
}

static int show_help(struct rw_cli *cli, bool long_form)
{
    struct rw_buf text;
    rw_buf_init(&text);
    bool bold = rw_cli_colour(cli, STDOUT_FILENO);
    if (cli->parsed.command)
        rw_help_command(&text, cli->parsed.command, long_form, cli->width, bold);
    else
        rw_help_commands(&text, cli->table, cli->parsed.group, bold);
    if (long_form)
        rw_cli_page(cli, &text);
    else
        rw_buf_add(&cli->out, text.p, text.n);
    rw_buf_deinit(&text);
    return RW_EXIT_OK;
}

/* A family without its verb: the list of verbs, but not as a success, or a script would go on. */
static int show_group(struct rw_cli *cli)
{
    struct rw_buf text;
    rw_buf_init(&text);
    rw_help_commands(&text, cli->table, cli->parsed.group, rw_cli_colour(cli, STDERR_FILENO));
    fputs(rw_buf_cstr(&text), stderr);
    rw_buf_deinit(&text);
    return RW_EXIT_USAGE;
}

static int dispatch(struct rw_cli *cli)
{
    switch (cli->parsed.outcome) {
    case RW_PARSE_OVERVIEW:
        rw_help_overview(&cli->out);
        return RW_EXIT_OK;
    case RW_PARSE_GROUP:
        return show_group(cli);
    case RW_PARSE_HELP:
        return show_help(cli, false);
    case RW_PARSE_HELP_LONG:
        return show_help(cli, true);
    case RW_PARSE_VERSION:
        rw_buf_add_str(&cli->out, "rollway " ROLLWAY_VERSION "\n");
        return RW_EXIT_OK;
    case RW_PARSE_WRONG:
        return show_wrong(cli);
    case RW_PARSE_RUN:
        rw_cli_catch_signals();
        return cli->parsed.command->run(cli);
    }
    return RW_EXIT_FAILED;
}

/* Who was started without one of these would get a socket or a log file under its number, and messages
 * would be written into it. What is opened here answers with the same errors as a closed one. */
static bool hold_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

int main(int argc, char **argv)
{
    struct rw_cli cli;
    signal(SIGPIPE, SIG_IGN);
    if (!hold_standard_files())
        return RW_EXIT_FAILED;
    signal(SIGXFSZ, SIG_IGN); /* a file above `ulimit -f` is an error of the write */
    if (rw_cli_init(&cli, rw_commands, argc, argv) != RW_OK) {
        fputs("rollway: out of memory\n", stderr);
        return RW_EXIT_FAILED;
    }
    int rc = dispatch(&cli);
    if (rw_cli_flush(&cli) != RW_OK && rc == RW_EXIT_OK)
        rc = RW_EXIT_FAILED;
    rw_cli_deinit(&cli);
    return rw_cli_signal_exit(rc);
}
