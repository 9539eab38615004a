/*
 * From argv to a command, its options and operands, by the command table. Pure: prints nothing.
 *
 * Grammar: rollway [GLOBAL OPTIONS] WORD... [OPTIONS and OPERANDS in any order] [-- OPERANDS].
 * Long options as --name VALUE or --name=VALUE; letters may be clustered (-qp3, -q -p 3).
 */
#pragma once

#include "cli/command.h"

enum rw_parse_outcome {
    RW_PARSE_RUN,       /* command, values and operands are set */
    RW_PARSE_OVERVIEW,  /* no arguments at all */
    RW_PARSE_GROUP,     /* `group` names a family, the verb is missing */
    RW_PARSE_HELP,      /* -h: short help of command, of group, or the overview */
    RW_PARSE_HELP_LONG, /* --help */
    RW_PARSE_VERSION,
    RW_PARSE_WRONG /* error and hint are set */
};

struct rw_cli_value {
    const struct rw_option *option;
    const char *text; /* NULL for flags */
    int64_t number;   /* INT, DURATION (ms), BYTES */
};

struct rw_parsed {
    enum rw_parse_outcome outcome;
    const struct rw_command *command; /* may be NULL */
    char group[64];                   /* "topic", "" */
    struct rw_cli_value *values;
    int n_values;
    const char **operands; /* views into argv */
    int n_operands;
    char error[300], hint[200];
};

/* RW_OK (whatever the outcome) or RW_E_NOMEM. Free with rw_parsed_deinit(). */
RW_MUST int rw_parse(const struct rw_command *const *table, int argc, char **argv,
                     struct rw_parsed *ret_parsed);
void rw_parsed_deinit(struct rw_parsed *p);

/* The options every command has; those after rw_global_options_connection only with a broker. */
extern const struct rw_option rw_global_options[];
extern const struct rw_option rw_connection_options[];

/* The option by long name or by letter, own ones first; NULL. */
const struct rw_option *rw_option_find(const struct rw_command *c, const char *name, size_t n);
const struct rw_option *rw_option_find_letter(const struct rw_command *c, char letter);
bool rw_option_takes_value(const struct rw_option *o);

/*
 * Finds the command for words[0..n). ret_used: words consumed. NULL when there is none; then *ret_used
 * is how many words are the beginning of a command's name (a group).
 */
const struct rw_command *rw_command_find(const struct rw_command *const *table,
                                         const char *const *words, int n, int *ret_used);
/* True when `words` (blank separated) is a proper beginning of a visible command's name. */
bool rw_command_is_group(const struct rw_command *const *table, const char *words);
