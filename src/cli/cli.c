/*
 * What the commands work with: their options, standard output, messages, signals. Not thread-safe;
 * the one piece of static state is the mark that a signal handler sets.
 */
#include "cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/json.h"
#include "cli/printable.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
    interrupted = sig;
}

void rw_cli_catch_signals(void)
{
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
}

bool rw_cli_interrupted(void)
{
    return interrupted != 0;
}

int rw_cli_signal_exit(int exit_code)
{
    return exit_code == RW_EXIT_INTERRUPTED && interrupted == SIGTERM ? (int)RW_EXIT_TERMINATED
                                                                      : exit_code;
}

static int terminal_width(void)
{
    struct winsize w;
    const char *columns = getenv("COLUMNS");
    long n = columns ? strtol(columns, NULL, 10) : 0;
    if (n <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0)
        n = w.ws_col;
    return n < 40 ? 80 : n > 120 ? 120 : (int)n;
}

int rw_cli_init(struct rw_cli *cli, const struct rw_command *const *table, int argc, char **argv)
{
    *cli = (struct rw_cli){.table = table, .program = argc > 0 && *argv[0] ? argv[0] : "rollway"};
    rw_buf_init(&cli->out);
    cli->stdout_tty = isatty(STDOUT_FILENO) == 1;
    cli->stderr_tty = isatty(STDERR_FILENO) == 1;
    cli->width = terminal_width();
    return rw_parse(table, argc, argv, &cli->parsed);
}

void rw_cli_deinit(struct rw_cli *cli)
{
    rw_parsed_deinit(&cli->parsed);
    rw_buf_deinit(&cli->out);
}

void rw_cli_program(const struct rw_cli *cli, struct rw_buf *out)
{
    const char *const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-";
    if (cli->program[strspn(cli->program, plain)] == 0) {
        rw_buf_add_str(out, cli->program);
        return;
    }
    rw_buf_add_u8(out, '\'');
    for (const char *p = cli->program; *p; p++)
        if (*p == '\'')
            rw_buf_add_str(out, "'\\''");
        else
            rw_buf_add_u8(out, (uint8_t)*p);
    rw_buf_add_u8(out, '\'');
}

/* ---- operands and options ---- */

const struct rw_command *rw_cli_command(const struct rw_cli *cli)
{
    return cli->parsed.command;
}

int rw_cli_operand_count(const struct rw_cli *cli)
{
    return cli->parsed.n_operands;
}

const char *rw_cli_operand(const struct rw_cli *cli, int i)
{
    RW_ASSERT(i >= 0 && i < cli->parsed.n_operands);
    return cli->parsed.operands[i];
}

static const struct rw_option *known(const struct rw_cli *cli, const char *name)
{
    const struct rw_option *o = rw_option_find(cli->parsed.command, name, strlen(name));
    RW_ASSERT(o != NULL);
    return o;
}

/* The n-th value of an option; -1: the last one. NULL when there is none. */
static const struct rw_cli_value *value(const struct rw_cli *cli, const char *name, int n)
{
    const struct rw_option *o = known(cli, name);
    const struct rw_cli_value *last = NULL;
    for (int i = 0; i < cli->parsed.n_values; i++) {
        if (cli->parsed.values[i].option != o)
            continue;
        last = &cli->parsed.values[i];
        if (n-- == 0)
            return last;
    }
    return n < 0 ? last : NULL;
}

bool rw_cli_has(const struct rw_cli *cli, const char *option)
{
    return value(cli, option, -1) != NULL;
}

const char *rw_cli_string(const struct rw_cli *cli, const char *option, const char *fallback)
{
    const struct rw_cli_value *v = value(cli, option, -1);
    return v ? v->text : fallback;
}

int64_t rw_cli_int(const struct rw_cli *cli, const char *option, int64_t fallback)
{
    const struct rw_cli_value *v = value(cli, option, -1);
    return v ? v->number : fallback;
}

int rw_cli_count(const struct rw_cli *cli, const char *option)
{
    const struct rw_option *o = known(cli, option);
    int n = 0;
    for (int i = 0; i < cli->parsed.n_values; i++)
        n += cli->parsed.values[i].option == o;
    return n;
}

int rw_cli_list_count(const struct rw_cli *cli, const char *option)
{
    return rw_cli_count(cli, option);
}

const char *rw_cli_list(const struct rw_cli *cli, const char *option, int i)
{
    RW_ASSERT(i >= 0 && i < rw_cli_count(cli, option));
    return value(cli, option, i)->text;
}

const char *rw_cli_given(const struct rw_cli *cli, int i, const char **ret_value)
{
    if (i >= cli->parsed.n_values)
        return NULL;
    *ret_value = cli->parsed.values[i].text;
    return cli->parsed.values[i].option->name;
}

/* Global flags must be answered before the command is known too: messages depend on them. */
static bool has_global(const struct rw_cli *cli, const char *name)
{
    for (int i = 0; i < cli->parsed.n_values; i++)
        if (strcmp(cli->parsed.values[i].option->name, name) == 0)
            return true;
    return false;
}

bool rw_cli_json(const struct rw_cli *cli)
{
    return has_global(cli, "json");
}

bool rw_cli_plain(const struct rw_cli *cli)
{
    return has_global(cli, "plain");
}

bool rw_cli_quiet(const struct rw_cli *cli)
{
    return has_global(cli, "quiet");
}

bool rw_cli_verbose(const struct rw_cli *cli)
{
    return has_global(cli, "verbose");
}

bool rw_cli_colour(const struct rw_cli *cli, int fd)
{
    const char *when = "auto";
    for (int i = 0; i < cli->parsed.n_values; i++)
        if (strcmp(cli->parsed.values[i].option->name, "color") == 0)
            when = cli->parsed.values[i].text;
    if (strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return (fd == STDOUT_FILENO ? cli->stdout_tty : cli->stderr_tty) && !(no && *no) && term &&
           strcmp(term, "dumb") != 0;
}

bool rw_cli_stdout_failed(const struct rw_cli *cli)
{
    return cli->stdout_failed;
}

bool rw_cli_stdout_is_terminal(const struct rw_cli *cli)
{
    return cli->stdout_tty;
}

/* ---- standard output ---- */

struct rw_buf *rw_cli_out(struct rw_cli *cli)
{
    return &cli->out;
}

/* After a signal a reader that takes nothing is not waited for; one that does gets what is there. */
static bool may_write(size_t *n)
{
    struct pollfd fd = {.fd = STDOUT_FILENO, .events = POLLOUT};
    if (!interrupted)
        return true;
    if (*n > PIPE_BUF)
        *n = PIPE_BUF; /* so much goes into a pipe that can be written to at all */
    return poll(&fd, 1, 1000) > 0;
}

/* The reader went away: end as a program does that never heard of SIGPIPE, quietly. */
static _Noreturn void end_by_pipe(void)
{
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
    _exit(128 + SIGPIPE);
}

int rw_cli_flush(struct rw_cli *cli)
{
    size_t at = 0;
    if (cli->out.failed)
        return rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "out of memory");
    while (at < cli->out.n && !cli->stdout_failed) {
        size_t left = cli->out.n - at;
        if (!may_write(&left)) {
            cli->stdout_failed = true;
            break;
        }
        ssize_t n = write(STDOUT_FILENO, cli->out.p + at, left);
        if (n >= 0) {
            at += (size_t)n;
        } else if (errno == EPIPE) {
            end_by_pipe();
        } else if (errno != EINTR) {
            cli->stdout_failed = true;
            rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "can not write to standard output: %s",
                        strerror(errno));
        }
    }
    rw_buf_clear(&cli->out);
    return cli->stdout_failed ? RW_E_IO : RW_OK;
}

void rw_cli_page(struct rw_cli *cli, struct rw_buf *text)
{
    const char *pager = getenv("PAGER");
    if (cli->stdout_tty && rw_cli_flush(cli) == RW_OK && !(pager && strcmp(pager, "cat") == 0)) {
        /* -F: a page that fits is simply printed. Without a pager the text is printed below. */
        FILE *f = popen(pager && *pager ? pager : "less -FRX 2>/dev/null", "w");
        if (f) {
            fwrite(text->p, 1, text->n, f);
            if (pclose(f) == 0)
                return;
        }
    }
    rw_buf_add(&cli->out, text->p, text->n);
}

/* ---- messages ---- */

static void fail_json(const char *text, int exit_code, const char *hint)
{
    struct rw_buf b;
    struct rw_json j;
    rw_buf_init(&b);
    rw_json_init(&j, &b, 0);
    rw_json_object(&j, NULL);
    rw_json_object(&j, "error");
    rw_json_int(&j, "exit_code", exit_code);
    rw_json_cstr(&j, "message", text);
    rw_json_cstr(&j, "hint", hint);
    rw_json_end(&j);
    rw_json_end(&j);
    fprintf(stderr, "%s\n", rw_buf_cstr(&b));
    rw_buf_deinit(&b);
}

static void fail_text(struct rw_cli *cli, const char *text, int exit_code, const char *hint)
{
    if (rw_cli_json(cli)) {
        fail_json(text, exit_code, hint);
        return;
    }
    bool colour = rw_cli_colour(cli, STDERR_FILENO);
    struct rw_buf b;
    rw_buf_init(&b);
    rw_buf_printf(&b, "%srollway:%s ", colour ? "\033[31m" : "", colour ? "\033[0m" : "");
    rw_printable(&b, text);
    if (hint) {
        rw_buf_printf(&b, "\n%shint:%s ", colour ? "\033[36m" : "", colour ? "\033[0m" : "");
        rw_printable(&b, hint);
    }
    fprintf(stderr, "%s\n", rw_buf_cstr(&b));
    rw_buf_deinit(&b);
}

int rw_cli_fail(struct rw_cli *cli, int exit_code, const char *hint, const char *format, ...)
{
    char text[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fail_text(cli, text, exit_code, hint);
    return exit_code;
}

int rw_cli_usage(struct rw_cli *cli, const char *format, ...)
{
    char text[1000], hint[128];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    snprintf(hint, sizeof(hint), "rollway %s -h shows how", cli->parsed.command->name);
    fail_text(cli, text, RW_EXIT_USAGE, hint);
    return RW_EXIT_USAGE;
}

void rw_cli_note(struct rw_cli *cli, const char *format, ...)
{
    if (rw_cli_quiet(cli))
        return;
    char text[1000];
    struct rw_buf b;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    rw_buf_init(&b);
    rw_printable(&b, text);
    fprintf(stderr, "%s\n", rw_buf_cstr(&b));
    rw_buf_deinit(&b);
}

int rw_cli_exit_of(int code)
{
    switch (code) {
    case RW_OK:
        return RW_EXIT_OK;
    case RW_E_TIMEOUT:
    case RW_E_REFUSED:
    case RW_E_DNS:
    case RW_E_CLOSED:
        return RW_EXIT_UNREACHABLE;
    case RW_E_AUTH:
        return RW_EXIT_AUTH;
    case RW_E_NOT_FOUND:
        return RW_EXIT_NOT_FOUND;
    case RW_E_EXISTS:
    case RW_E_LOCKED:
        return RW_EXIT_EXISTS;
    case RW_E_CANCELED:
        return rw_cli_interrupted() ? RW_EXIT_INTERRUPTED : RW_EXIT_FAILED;
    default:
        return RW_EXIT_FAILED;
    }
}

/* Until there is something to read or a signal comes. One that came before the wait is seen as well: signals
 * are let in only together with it. */
static void wait_for_stdin(void)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    sigset_t ours, before;
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigprocmask(SIG_BLOCK, &ours, &before);
    if (!interrupted)
        (void)ppoll(&p, 1, NULL, &before);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

int rw_cli_confirm(struct rw_cli *cli, const char *question)
{
    char answer[16] = "";
    if (isatty(STDIN_FILENO) != 1)
        return rw_cli_fail(cli, RW_EXIT_USAGE, "add --yes to do it without being asked",
                           "this needs a confirmation, and standard input is no terminal: %s",
                           question);
    struct rw_buf b;
    rw_buf_init(&b);
    rw_printable(&b, question);
    fprintf(stderr, "%s [y/N] ", rw_buf_cstr(&b));
    rw_buf_deinit(&b);
    wait_for_stdin();
    if (interrupted || !fgets(answer, sizeof(answer), stdin)) {
        answer[0] = 0;
        fputc('\n', stderr); /* the cursor is still behind the question */
    }
    if (interrupted)
        return RW_EXIT_INTERRUPTED;
    answer[strcspn(answer, "\n")] = 0;
    if (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0)
        return RW_EXIT_OK;
    return rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "not confirmed: nothing was changed");
}
