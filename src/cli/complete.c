/* Completion out of the command table. */
#include "cli/complete.h"

#include <string.h>
#include "cli/parse.h"

struct complete {
    struct rw_buf *out;
    const char *word; /* being typed */
    const char *prefix;
};

static void offer(struct complete *c, const char *word, size_t n, const char *what)
{
    size_t len = strlen(c->word);
    if (n < len || memcmp(word, c->word, len) != 0)
        return;
    rw_buf_printf(c->out, "%s%.*s", c->prefix, (int)n, word);
    if (what)
        rw_buf_printf(c->out, "\t%s", what);
    rw_buf_add_u8(c->out, '\n');
}

/* "a|b|c" is offered here; any other kind is passed to the caller. */
static void offer_kind(struct complete *c, const char *kind, const char **ret_want)
{
    if (!kind)
        return;
    if (!strchr(kind, '|')) {
        *ret_want = kind;
        return;
    }
    for (const char *p = kind; *p;) {
        size_t n = strcspn(p, "|");
        offer(c, p, n, NULL);
        p += n + (p[n] == '|');
    }
}

static void offer_options(struct complete *c, const struct rw_option *o)
{
    for (; o && o->name; o++) {
        char name[64];
        int n = snprintf(name, sizeof(name), "--%s", o->name);
        offer(c, name, (size_t)n, o->help);
    }
}

/* The next words of commands that begin with words[0..n). */
static void offer_commands(struct complete *c, const struct rw_command *const *table, int n,
                           const char *const *words)
{
    const char *last = "";
    size_t last_n = 0;
    for (; *table; table++) {
        const char *name = (*table)->name;
        int i = 0;
        if (strncmp(name, "__", 2) == 0)
            continue;
        for (; i < n; i++) {
            size_t len = strlen(words[i]);
            if (strncmp(name, words[i], len) != 0 || name[len] != ' ')
                break;
            name += len + 1;
        }
        size_t len = strcspn(name, " ");
        if (i < n || (len == last_n && memcmp(name, last, len) == 0))
            continue;
        offer(c, name, len, name[len] ? NULL : (*table)->summary);
        last = name;
        last_n = len;
    }
}

/* The option whose value is the last word: "--name value" or "-n value". */
static const struct rw_option *option_before(const struct rw_command *c, const char *before)
{
    const struct rw_option *o = NULL;
    if (strncmp(before, "--", 2) == 0)
        o = rw_option_find(c, before + 2, strlen(before + 2));
    else if (before[0] == '-' && before[1])
        o = rw_option_find_letter(c, before[strlen(before) - 1]);
    return o && rw_option_takes_value(o) && o->kind != RW_OPT_OPTIONAL ? o : NULL;
}

void rw_complete(struct rw_buf *out, const struct rw_command *const *table, int n,
                 const char *const *words, const char **ret_want, char ret_prefix[64])
{
    static const char *const nothing[] = {""};
    struct complete c = {out, n ? words[n - 1] : "", ""};
    const char *command_words[3] = {NULL, NULL, NULL};
    int n_words = 0, used = 0, at = 0;
    *ret_want = NULL;
    ret_prefix[0] = 0;
    if (n == 0) {
        words = nothing;
        n = 1;
    }
    /* Words before the last that are no options make the command. */
    for (; at < n - 1 && n_words < 3; at++) {
        if (words[at][0] == '-') {
            at += option_before(NULL, words[at]) != NULL && !strchr(words[at], '=');
            continue;
        }
        command_words[n_words++] = words[at];
    }
    const struct rw_command *command = rw_command_find(table, command_words, n_words, &used);
    bool help = command && strcmp(command->name, "help") == 0;
    const struct rw_option *value_of = n > 1 ? option_before(command, words[n - 2]) : NULL;
    const char *equals = strncmp(c.word, "--", 2) == 0 ? strchr(c.word, '=') : NULL;
    if (equals) {
        const struct rw_option *o =
            rw_option_find(command, c.word + 2, (size_t)(equals - c.word - 2));
        snprintf(ret_prefix, 64, "%.*s", (int)(equals + 1 - c.word), c.word);
        c.prefix = ret_prefix;
        c.word = equals + 1;
        if (o)
            offer_kind(&c, o->complete, ret_want);
    } else if (value_of) {
        offer_kind(&c, value_of->complete, ret_want);
    } else if (c.word[0] == '-') {
        offer_options(&c, command ? command->options : NULL);
        offer_options(&c, rw_global_options);
        if (!command || !command->local)
            offer_options(&c, rw_connection_options);
    } else if (help) {
        offer_commands(&c, table, n_words - 1, command_words + 1);
    } else if (!command || used == n_words) {
        if (!command || rw_command_is_group(table, command->name))
            offer_commands(&c, table, n_words, command_words);
        if (command)
            offer_kind(&c, command->operands_complete, ret_want);
    } else {
        offer_kind(&c, command->operands_complete, ret_want);
    }
}
