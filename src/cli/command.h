/*
 * The command table: parser, help, completion, man pages and documentation come from it. One file per
 * command (or per family of commands); adding one means that file, its line in meson.build, and one
 * line in command_table.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/buf.h"
#include "base/code.h"
#include "base/slice.h"

struct rw_cli;

/* Exit codes; documented in every man page's EXIT STATUS. */
enum rw_exit {
    RW_EXIT_OK = 0,
    RW_EXIT_FAILED = 1,
    RW_EXIT_USAGE = 2,
    RW_EXIT_UNREACHABLE = 3, /* cannot reach, timed out */
    RW_EXIT_AUTH = 4,
    RW_EXIT_NOT_FOUND = 5,
    RW_EXIT_EXISTS = 6,
    RW_EXIT_PARTLY = 7,
    RW_EXIT_UNHEALTHY = 8,
    RW_EXIT_INTERRUPTED = 130, /* SIGINT, or whatever ends a command before its work is done */
    RW_EXIT_TERMINATED = 143   /* the same by SIGTERM: made of the former in main.c */
};

enum rw_option_kind {
    RW_OPT_FLAG, /* no value */
    RW_OPT_STRING,
    RW_OPT_INT,
    RW_OPT_DURATION, /* 500ms, 7d; a bare number is milliseconds */
    RW_OPT_BYTES,    /* 64KiB, 1GiB; a bare number is bytes */
    RW_OPT_LIST,     /* may be repeated; values are kept in order */
    RW_OPT_COUNT,    /* may be repeated; the number of times */
    RW_OPT_OPTIONAL  /* a string, or none: only --name=VALUE has one */
};

struct rw_option {
    const char *name; /* "partitions": --partitions; NULL ends the table */
    char letter;      /* 'p', 0: none. An own letter hides the same letter of a global option */
    enum rw_option_kind kind;
    const char *value_name; /* "N" in help; NULL for flags */
    const char *help;       /* one line */
    const char *complete;   /* "topic", "file", "dir", "group", or "a|b|c"; NULL: nothing */
};

struct rw_example {
    const char *command; /* "rollway topic create logs -p 12"; NULL ends the table */
    const char *what;
};

struct rw_command {
    const char *name;     /* "topic create"; words separated by one blank; "__x" is hidden */
    const char *aliases;  /* "topics new, topic new" or NULL */
    const char *operands; /* "TOPIC..." for the synopsis, NULL: none */
    const char *operands_complete;  /* like rw_option.complete */
    int operands_min, operands_max; /* max -1: any number */
    const char *summary;            /* one line */
    const char *text; /* paragraphs for man page and long help; may be NULL. A line that begins
                           * with four blanks is kept as it is (literal block) */
    const struct rw_option *options;   /* own options, may be NULL; the global ones come on top */
    const struct rw_example *examples; /* may be NULL */
    bool local; /* works on files or processes: no --brokers and connection options */
    bool cut;   /* its long options may be cut short, as getopt_long(3) has it */
    bool raw;   /* everything after the name is an operand, options too (hidden helpers) */
    int (*run)(struct rw_cli *cli); /* returns enum rw_exit */
};

/* All commands; NULL-terminated. */
extern const struct rw_command *const rw_commands[];

/* ---- what run() works with ---- */

/* Asking for an option that is neither the command's own nor global is a programming error (assert). */
int rw_cli_operand_count(const struct rw_cli *cli);
const char *rw_cli_operand(const struct rw_cli *cli, int i);
bool rw_cli_has(const struct rw_cli *cli, const char *option);
const char *rw_cli_string(const struct rw_cli *cli, const char *option, const char *fallback);
int64_t rw_cli_int(const struct rw_cli *cli, const char *option,
                   int64_t fallback);                           /* ms, bytes too */
int rw_cli_count(const struct rw_cli *cli, const char *option); /* times it was given */
int rw_cli_list_count(const struct rw_cli *cli, const char *option);
const char *rw_cli_list(const struct rw_cli *cli, const char *option, int i);
/* The options as they were given, in their order: the name of number i, and its value (NULL: it has none). NULL: there
 * are no more. */
const char *rw_cli_given(const struct rw_cli *cli, int i, const char **ret_value);
const struct rw_command *rw_cli_command(const struct rw_cli *cli);

/* How this program was called, quoted where a shell needs it. */
void rw_cli_program(const struct rw_cli *cli, struct rw_buf *out);

/* Global: --json, --plain, --quiet, --verbose, --color. */
bool rw_cli_json(const struct rw_cli *cli);
bool rw_cli_plain(const struct rw_cli *cli);
bool rw_cli_quiet(const struct rw_cli *cli);
bool rw_cli_verbose(const struct rw_cli *cli);
/* Whether to colour what goes to stdout (fd 1) or stderr (fd 2). */
bool rw_cli_colour(const struct rw_cli *cli, int fd);
bool rw_cli_stdout_is_terminal(const struct rw_cli *cli);
/* rw_cli_flush() failed, and has told so. */
bool rw_cli_stdout_failed(const struct rw_cli *cli);

/* Standard output, buffered: write into it, main() sends the rest at the end. Commands that stream
 * call rw_cli_flush() when something should be seen now or when much has gathered (256 KiB). A reader
 * that went away ends the program quietly. */
struct rw_buf *rw_cli_out(struct rw_cli *cli);
int rw_cli_flush(struct rw_cli *cli);

/* Prints "rollway: <text>" (and a hint line "hint: ..." when hint is not NULL) on stderr; with --json
 * an {"error":{...}} document, there too. Returns `exit_code`, so that run() can
 * `return rw_cli_fail(...)`. */
int rw_cli_fail(struct rw_cli *cli, int exit_code, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A usage error (exit code 2) with the hint where the help is. */
int rw_cli_usage(struct rw_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A remark for people on stderr; silent with --quiet. */
void rw_cli_note(struct rw_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The exit code that fits a result code (RW_E_NOT_FOUND -> 5, RW_E_TIMEOUT -> 3 ...). */
int rw_cli_exit_of(int code);
/* Asks on a terminal. RW_EXIT_OK: yes; otherwise nothing may be done, and it has said so: RW_EXIT_FAILED,
 * RW_EXIT_INTERRUPTED, or RW_EXIT_USAGE (stdin is no terminal; the message names --yes). */
int rw_cli_confirm(struct rw_cli *cli, const char *question);
/* True once SIGINT or SIGTERM arrived: finish what is in hand and return RW_EXIT_INTERRUPTED.
 * A second signal ends the process at once. */
bool rw_cli_interrupted(void);
/* What the process ends with: RW_EXIT_TERMINATED where SIGTERM was the interruption. */
int rw_cli_signal_exit(int exit_code);
