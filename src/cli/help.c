/* Help texts out of the command table. Nothing is written twice: what is here is layout. */
#include "cli/help.h"

#include <string.h>
#include "cli/parse.h"

#define LABEL_WIDTH 28

const struct rw_exit_text rw_exit_texts[] = {
    {RW_EXIT_OK, "success"},
    {RW_EXIT_FAILED, "the operation failed"},
    {RW_EXIT_USAGE, "wrong usage"},
    {RW_EXIT_UNREACHABLE, "a broker can not be reached, or the time limit passed"},
    {RW_EXIT_AUTH, "not authenticated or not authorized"},
    {RW_EXIT_NOT_FOUND, "not found"},
    {RW_EXIT_EXISTS, "exists already, or conflicts with what is there"},
    {RW_EXIT_PARTLY, "some of several things failed"},
    {RW_EXIT_UNHEALTHY, "unhealthy (health checks)"},
    {RW_EXIT_INTERRUPTED, "interrupted"},
    {RW_EXIT_TERMINATED, "ended by SIGTERM"},
    {RW_EXIT_OK, NULL}};

void rw_help_overview(struct rw_buf *out)
{
    rw_buf_add_str(out,
                   "rollway " ROLLWAY_VERSION " - a durable, distributed commit log\n"
                   "\n"
                   "  rollway dev                             start a broker on this machine\n"
                   "  echo hello | rollway produce greetings  write a record\n"
                   "  rollway consume greetings -e            read them all\n"
                   "  rollway topic create logs -p 12         create a topic with 12 partitions\n"
                   "  rollway topic list                      what there is\n"
                   "  rollway cluster info                    which brokers, and how they are\n"
                   "\n"
                   "rollway -h lists all commands, rollway COMMAND -h explains one.\n"
                   "Shell completion: rollway completion bash|zsh|fish\n");
}

static void heading(struct rw_buf *out, const char *text, bool bold)
{
    rw_buf_printf(out, bold ? "\n\033[1m%s\033[0m\n" : "\n%s\n", text);
}

void rw_help_commands(struct rw_buf *out, const struct rw_command *const *table, const char *group,
                      bool bold)
{
    size_t n = strlen(group);
    if (n)
        rw_buf_printf(out, "Usage: rollway %s VERB [OPTIONS]\n", group);
    else
        rw_buf_add_str(out, "Usage: rollway COMMAND [OPTIONS]\n");
    heading(out, "Commands:", bold);
    for (; *table; table++) {
        const char *name = (*table)->name;
        if (strncmp(name, "__", 2) == 0)
            continue;
        if (n && !(strncmp(name, group, n) == 0 && name[n] == ' '))
            continue;
        rw_buf_printf(out, "  %-*s %s\n", LABEL_WIDTH - 4, name, (*table)->summary);
    }
    rw_buf_printf(out, "\nrollway %s%s -h explains one, --help tells all.\n", group,
                  n ? " VERB" : "COMMAND");
}

void rw_help_option_label(struct rw_buf *out, const struct rw_option *o)
{
    if (o->letter)
        rw_buf_printf(out, "-%c, ", o->letter);
    else
        rw_buf_add_str(out, "    ");
    rw_buf_printf(out, "--%s", o->name);
    if (rw_option_takes_value(o))
        rw_buf_printf(out, o->kind == RW_OPT_OPTIONAL ? "[=%s]" : " %s", o->value_name);
}

void rw_help_synopsis(struct rw_buf *out, const struct rw_command *c)
{
    rw_buf_printf(out, "rollway %s [OPTIONS]", c->name);
    if (!c->operands)
        return;
    rw_buf_printf(out, c->operands_min ? " %s" : " [%s]", c->operands);
}

/* Wrapped at blanks; the first line continues at column `column`, the others begin at `indent`. */
static void wrapped(struct rw_buf *out, const char *text, int indent, int column, int width)
{
    while (*text) {
        while (*text == ' ')
            text++;
        int len = (int)strcspn(text, " \n");
        if (column > indent && column + 1 + len > width) {
            rw_buf_printf(out, "\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            rw_buf_add_u8(out, ' ');
            column++;
        }
        rw_buf_add(out, text, (size_t)len);
        column += len;
        text += len;
        if (*text == '\n')
            text++;
    }
    rw_buf_add_u8(out, '\n');
}

static void option_line(struct rw_buf *out, const struct rw_option *o, int width)
{
    size_t start = out->n;
    rw_buf_add_str(out, "  ");
    rw_help_option_label(out, o);
    int column = (int)(out->n - start);
    if (column >= LABEL_WIDTH) {
        rw_buf_add_u8(out, '\n');
        column = 0;
    }
    rw_buf_printf(out, "%*s", LABEL_WIDTH - column, "");
    wrapped(out, o->help, LABEL_WIDTH, LABEL_WIDTH, width);
}

static void options(struct rw_buf *out, const struct rw_option *o, int width)
{
    for (; o && o->name; o++)
        option_line(out, o, width);
}

/* Paragraphs are separated by blank lines; lines with four leading blanks stay as they are. */
static void paragraphs(struct rw_buf *out, const char *text, int width)
{
    while (*text) {
        if (*text == '\n') {
            rw_buf_add_u8(out, '\n');
            text++;
            continue;
        }
        if (strncmp(text, "    ", 4) == 0) {
            size_t n = strcspn(text, "\n");
            rw_buf_add(out, text, n);
            rw_buf_add_u8(out, '\n');
            text += n + (text[n] == '\n');
            continue;
        }
        const char *end = text;
        while (*end && !(end[0] == '\n' && (end[1] == '\n' || strncmp(end + 1, "    ", 4) == 0)))
            end++;
        struct rw_buf paragraph;
        rw_buf_init(&paragraph);
        rw_buf_add(&paragraph, text, (size_t)(end - text));
        wrapped(out, rw_buf_cstr(&paragraph), 0, 0, width);
        rw_buf_deinit(&paragraph);
        text = end + (*end == '\n');
    }
}

void rw_help_command(struct rw_buf *out, const struct rw_command *c, bool long_form, int width,
                     bool bold)
{
    rw_buf_printf(out, "rollway %s - %s\n\nUsage: ", c->name, c->summary);
    rw_help_synopsis(out, c);
    rw_buf_add_u8(out, '\n');
    if (c->aliases && long_form)
        rw_buf_printf(out, "Also known as: %s\n", c->aliases);
    if (c->examples) {
        heading(out, "Examples:", bold);
        for (const struct rw_example *e = c->examples; e->command; e++)
            rw_buf_printf(out, "  %s\n      %s\n", e->command, e->what);
    }
    if (c->options && c->options->name) {
        heading(out, "Options:", bold);
        options(out, c->options, width);
    }
    if (!long_form) {
        rw_buf_printf(out,
                      "\nOptions of all commands:%s --json --plain --quiet --verbose --color\n",
                      c->local ? "" : " --brokers --timeout --connect-timeout");
        rw_buf_printf(out, "rollway %s --help tells more.\n", c->name);
        return;
    }
    heading(out, "Options of all commands:", bold);
    options(out, rw_global_options, width);
    if (!c->local)
        options(out, rw_connection_options, width);
    if (c->text) {
        heading(out, "Description:", bold);
        paragraphs(out, c->text, width);
    }
    heading(out, "Exit status:", bold);
    for (const struct rw_exit_text *e = rw_exit_texts; e->text; e++)
        rw_buf_printf(out, "  %3d  %s\n", e->code, e->text);
}
