/* The rollway program: parse, show help or run the command, flush, exit code. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/commands.h"
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

/* A link named "logger" stands for `rollway logger` and nothing else: no other words are commands, and exit codes are those of
 * logger(1). NULL: it is none. */
static char **words_of_logger(int argc, char **argv)
{
    static char name[] = "logger";
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    if (argc < 1 || strcmp(slash ? slash + 1 : argv[0], name) != 0)
        return NULL;
    char **words = rw_alloc_array((size_t)argc + 2, sizeof(*words));
    if (!words)
        return NULL;
    words[0] = argv[0];
    words[1] = name;
    memcpy(words + 2, argv + 1, (size_t)argc * sizeof(*words)); /* with its NULL */
    return words;
}

int main(int argc, char **argv)
{
    static const struct rw_command *const logger_alone[] = {&rw_cmd_logger, NULL};
    struct rw_cli cli;
    signal(SIGPIPE, SIG_IGN);
    if (!hold_standard_files())
        return RW_EXIT_FAILED;
    signal(SIGXFSZ, SIG_IGN); /* a file above `ulimit -f` is an error of the write */
    char **as_logger = words_of_logger(argc, argv);
    if (rw_cli_init(&cli, as_logger ? logger_alone : rw_commands, argc + (as_logger != NULL),
                    as_logger ? as_logger : argv) != RW_OK) {
        fputs("rollway: out of memory\n", stderr);
        return RW_EXIT_FAILED;
    }
    int rc = dispatch(&cli);
    if (rc == RW_EXIT_USAGE && as_logger)
        rc = RW_EXIT_FAILED;
    if (rw_cli_flush(&cli) != RW_OK && rc == RW_EXIT_OK)
        rc = RW_EXIT_FAILED;
    rw_cli_deinit(&cli);
    rw_free(as_logger);
    return rw_cli_signal_exit(rc);
}
