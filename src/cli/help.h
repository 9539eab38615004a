/* Help texts out of the command table. Pure: they append to a buffer. `width`: columns of the
 * terminal. `bold`: headings in bold type. */
#pragma once

#include "cli/command.h"

/* What `rollway` alone says: twelve lines, examples first. */
void rw_help_overview(struct rw_buf *out);
/* All commands by name, or those of one group. */
void rw_help_commands(struct rw_buf *out, const struct rw_command *const *table, const char *group,
                      bool bold);
void rw_help_command(struct rw_buf *out, const struct rw_command *c, bool long_form, int width,
                     bool bold);

/* "-p, --partitions N" */
void rw_help_option_label(struct rw_buf *out, const struct rw_option *o);
/* "rollway topic create [OPTIONS] TOPIC..." */
void rw_help_synopsis(struct rw_buf *out, const struct rw_command *c);

struct rw_exit_text {
    enum rw_exit code;
    const char *text;
};

/* Every exit code with its meaning; text NULL ends the table. */
extern const struct rw_exit_text rw_exit_texts[];
