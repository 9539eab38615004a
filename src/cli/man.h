/* Man pages (scdoc source) out of the command table: one page per first word of the commands. Pure. */
#pragma once

#include "cli/command.h"

/* Page "topic" describes all "topic ..." commands. False when there are none. */
bool rw_man_page(struct rw_buf *out, const struct rw_command *const *table, const char *page);
/* Text that scdoc shall take literally. */
void rw_man_escape(struct rw_buf *out, const char *text);
/* The names of all pages, one per line. */
void rw_man_pages(struct rw_buf *out, const struct rw_command *const *table);
