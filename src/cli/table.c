/* Tables for people. Widths are counted in characters of UTF-8, not in bytes. */
#include "cli/table.h"

#include <stdarg.h>
#include <string.h>
#include "base/assert.h"

void rw_table_init(struct rw_table *t, const char *const *names)
{
    *t = (struct rw_table){0};
    rw_buf_init(&t->cells);
    for (; *names; names++) {
        RW_ASSERT(t->n_columns < RW_TABLE_COLUMNS_MAX);
        t->right[t->n_columns] = **names == '>';
        t->names[t->n_columns++] = *names + (**names == '>');
    }
}

void rw_table_deinit(struct rw_table *t)
{
    rw_buf_deinit(&t->cells);
}

/* A tab or a line break inside a cell would break the table for scripts, other control characters do something to a terminal: they become
 * blanks, those of Unicode's second block (C2 80 .. C2 9F) too. */
static void finish_cell(struct rw_table *t, size_t from)
{
    if (t->cells.failed)
        return;
    uint8_t *p = t->cells.p;
    for (size_t i = from; i < t->cells.n; i++)
        if (p[i] < ' ' || p[i] == 0x7f)
            p[i] = ' ';
        else if (p[i] >= 0x80 && p[i] < 0xa0 && i > from && p[i - 1] == 0xc2)
            p[i - 1] = p[i] = ' ';
    rw_buf_add_u8(&t->cells, 0);
    t->n_cells++;
}

void rw_table_cell(struct rw_table *t, const char *format, ...)
{
    size_t from = t->cells.n;
    va_list args;
    va_start(args, format);
    rw_buf_vprintf(&t->cells, format, args);
    va_end(args);
    finish_cell(t, from);
}

void rw_table_cell_n(struct rw_table *t, const char *s, int n)
{
    size_t from = t->cells.n;
    if (n < 0)
        rw_buf_add_u8(&t->cells, '-');
    else
        rw_buf_add(&t->cells, s, (size_t)n);
    finish_cell(t, from);
}

static int columns_of(const char *s)
{
    int n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static void put(struct rw_buf *out, const char *s, int width, bool right, bool last)
{
    int pad = width - columns_of(s);
    if (right)
        rw_buf_printf(out, "%*s%s", pad, "", s);
    else
        rw_buf_printf(out, "%s%*s", s, last ? 0 : pad, "");
    rw_buf_add_str(out, last ? "\n" : "  ");
}

static void put_plain(struct rw_table *t, struct rw_buf *out)
{
    const char *cell = (const char *)t->cells.p;
    for (int i = 0; i < t->n_cells; i++, cell += strlen(cell) + 1)
        rw_buf_printf(out, "%s%c", cell, (i + 1) % t->n_columns ? '\t' : '\n');
}

void rw_table_render(struct rw_table *t, bool plain, bool bold, struct rw_buf *out)
{
    RW_ASSERT(t->cells.failed || t->n_cells % t->n_columns == 0);
    out->failed |= t->cells.failed;
    if (out->failed)
        return;
    if (plain) {
        put_plain(t, out);
        return;
    }
    int width[RW_TABLE_COLUMNS_MAX];
    for (int i = 0; i < t->n_columns; i++)
        width[i] = columns_of(t->names[i]);
    const char *cell = (const char *)t->cells.p;
    for (int i = 0; i < t->n_cells; i++, cell += strlen(cell) + 1)
        if (columns_of(cell) > width[i % t->n_columns])
            width[i % t->n_columns] = columns_of(cell);
    rw_buf_add_str(out, bold ? "\033[1m" : "");
    for (int i = 0; i < t->n_columns; i++)
        put(out, t->names[i], width[i], t->right[i], i + 1 == t->n_columns);
    rw_buf_add_str(out, bold ? "\033[0m" : "");
    cell = (const char *)t->cells.p;
    for (int i = 0; i < t->n_cells; i++, cell += strlen(cell) + 1) {
        int column = i % t->n_columns;
        put(out, cell, width[column], t->right[column], column + 1 == t->n_columns);
    }
}
