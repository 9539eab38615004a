/*
 * Tables for people: columns as wide as their widest cell, numbers to the right. With --plain: tab
 * separated, no heading. Cells are copied. Pure: a table is rendered into a buffer.
 */
#pragma once

#include <stdbool.h>
#include "base/buf.h"

#define RW_TABLE_COLUMNS_MAX 16

struct rw_table {
    int n_columns;
    const char *names[RW_TABLE_COLUMNS_MAX];
    bool right[RW_TABLE_COLUMNS_MAX];
    struct rw_buf cells; /* NUL-terminated, row by row */
    int n_cells;
};

/* names: "TOPIC", or ">OFFSET" for a column aligned to the right; NULL ends. */
void rw_table_init(struct rw_table *t, const char *const *names);
void rw_table_deinit(struct rw_table *t);
/* Cells in column order; rows fill up by themselves. */
void rw_table_cell(struct rw_table *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void rw_table_cell_n(struct rw_table *t, const char *s, int n); /* n < 0: null, shown as "-" */
/* Appends the table; `bold`: heading in bold. */
void rw_table_render(struct rw_table *t, bool plain, bool bold, struct rw_buf *out);
