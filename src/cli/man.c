/*
 * Man pages out of the command table, as scdoc source. Every command, option and exit code is in its
 * page because all come from the table.
 */
#include "cli/man.h"

#include <string.h>
#include "cli/help.h"
#include "cli/parse.h"

/* Text that scdoc shall take literally. */
static void escaped_n(struct rw_buf *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strchr("_*\\#~`[]<>+|-.", s[i]))
            rw_buf_add_u8(out, '\\');
        rw_buf_add_u8(out, (uint8_t)s[i]);
    }
}

void rw_man_escape(struct rw_buf *out, const char *s)
{
    escaped_n(out, s, strlen(s));
}

static bool on_page(const struct rw_command *c, const char *page)
{
    size_t n = strlen(page);
    return strncmp(c->name, page, n) == 0 && (c->name[n] == 0 || c->name[n] == ' ');
}

static void synopsis(struct rw_buf *out, const struct rw_command *c)
{
    rw_buf_add_str(out, "*rollway ");
    rw_man_escape(out, c->name);
    rw_buf_add_str(out, "* \\[OPTIONS\\]");
    if (c->operands) {
        rw_buf_add_str(out, c->operands_min ? " " : " \\[");
        rw_man_escape(out, c->operands);
        rw_buf_add_str(out, c->operands_min ? "" : "\\]");
    }
}

static void options(struct rw_buf *out, const struct rw_option *o)
{
    for (; o && o->name; o++) {
        if (o->letter)
            rw_buf_printf(out, "*\\-%c*, ", o->letter);
        rw_buf_add_str(out, "*\\-\\-");
        rw_man_escape(out, o->name);
        rw_buf_add_u8(out, '*');
        if (rw_option_takes_value(o)) {
            bool optional = o->kind == RW_OPT_OPTIONAL;
            rw_buf_add_str(out, optional ? "\\[=" : " ");
            rw_man_escape(out, o->value_name);
            rw_buf_add_str(out, optional ? "\\]" : "");
        }
        rw_buf_add_str(out, "\n\t");
        rw_man_escape(out, o->help);
        rw_buf_add_str(out, "\n\n");
    }
}

/* Paragraphs; a block of lines with four leading blanks becomes a literal block. */
static void text(struct rw_buf *out, const char *s)
{
    bool literal = false;
    while (*s) {
        size_t n = strcspn(s, "\n");
        bool is_literal = n > 4 && strncmp(s, "    ", 4) == 0;
        if (is_literal != literal)
            rw_buf_add_str(out, literal ? "```\n\n" : "\n```\n");
        literal = is_literal;
        if (literal)
            rw_buf_add(out, s + 4, n - 4);
        else
            escaped_n(out, s, n);
        rw_buf_add_u8(out, '\n');
        s += n + (s[n] == '\n');
    }
    rw_buf_add_str(out, literal ? "```\n\n" : "\n");
}

static void command(struct rw_buf *out, const struct rw_command *c)
{
    rw_buf_add_str(out, "## rollway ");
    rw_man_escape(out, c->name);
    rw_buf_add_str(out, "\n\n");
    synopsis(out, c);
    rw_buf_add_str(out, "\n\n");
    rw_man_escape(out, c->summary);
    rw_buf_add_str(out, "\n\n");
    if (c->aliases) {
        rw_buf_add_str(out, "Also known as: ");
        rw_man_escape(out, c->aliases);
        rw_buf_add_str(out, "\n\n");
    }
    if (c->text)
        text(out, c->text);
    options(out, c->options);
}

static void examples(struct rw_buf *out, const struct rw_command *c)
{
    for (const struct rw_example *e = c->examples; e && e->command; e++) {
        rw_man_escape(out, e->what);
        rw_buf_printf(out, ":\n\n```\n%s\n```\n\n", e->command);
    }
}

bool rw_man_page(struct rw_buf *out, const struct rw_command *const *table, const char *page)
{
    const struct rw_command *const *c;
    int n = 0;
    bool remote = false, some_examples = false;
    const struct rw_command *first = NULL;
    for (c = table; *c; c++) {
        if (!on_page(*c, page))
            continue;
        first = first ? first : *c;
        n++;
        remote |= !(*c)->local;
        some_examples |= (*c)->examples != NULL;
    }
    if (n == 0 || strncmp(page, "__", 2) == 0)
        return false;
    rw_buf_printf(out, "rollway-%s(1)\n\n# NAME\n\nrollway-%s - ", page, page);
    if (n == 1)
        rw_man_escape(out, first->summary);
    else
        rw_buf_printf(out, "the rollway %s commands", page);
    rw_buf_add_str(out, "\n\n# SYNOPSIS\n\n");
    for (c = table; *c; c++) {
        if (!on_page(*c, page))
            continue;
        synopsis(out, *c);
        rw_buf_add_str(out, "++\n");
    }
    out->n -= 3; /* no line break after the last one */
    rw_buf_add_str(out, "\n\n# COMMANDS\n\n");
    for (c = table; *c; c++)
        if (on_page(*c, page))
            command(out, *c);
    rw_buf_add_str(out, "# OPTIONS OF ALL COMMANDS\n\n");
    options(out, rw_global_options);
    if (remote)
        options(out, rw_connection_options);
    rw_buf_add_str(out, "# EXIT STATUS\n\n");
    for (const struct rw_exit_text *e = rw_exit_texts; e->text; e++)
        rw_buf_printf(out, "*%d*\n\t%s\n\n", e->code, e->text);
    if (remote)
        rw_buf_add_str(out,
                       "# ENVIRONMENT\n\n*ROLLWAY\\_BROKERS*\n\tThe first brokers to ask, when "
                       "*\\-\\-brokers* is not given.\n\n*NO\\_COLOR*\n\tNo colours.\n\n");
    if (some_examples) {
        rw_buf_add_str(out, "# EXAMPLES\n\n");
        for (c = table; *c; c++)
            if (on_page(*c, page))
                examples(out, *c);
    }
    rw_buf_add_str(out, "# SEE ALSO\n\n*rollway*(1)\n");
    return !out->failed;
}

void rw_man_pages(struct rw_buf *out, const struct rw_command *const *table)
{
    for (const struct rw_command *const *c = table; *c; c++) {
        const char *name = (*c)->name;
        size_t n = strcspn(name, " ");
        bool seen = strncmp(name, "__", 2) == 0;
        for (const struct rw_command *const *d = table; d < c && !seen; d++)
            seen =
                strncmp((*d)->name, name, n) == 0 && ((*d)->name[n] == 0 || (*d)->name[n] == ' ');
        if (!seen)
            rw_buf_printf(out, "%.*s\n", (int)n, name);
    }
}
