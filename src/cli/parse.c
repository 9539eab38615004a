/*
 * From argv to a command, its options and operands, by the command table.
 *
 * The words of the command come first; global options may stand before and between them. After the
 * command options and operands mix freely, "--" ends options. The first mistake wins: the outcome is
 * WRONG with one error line and one hint. Nothing here prints or exits.
 */
#include "cli/parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/mem.h"
#include "cli/suggest.h"
#include "base/units.h"

#define NAME_WORDS_MAX 3

const struct rw_option rw_global_options[] = {
    {"json", 0, RW_OPT_FLAG, NULL, "print JSON: one document, or one per line for streams", NULL},
    {"plain", 0, RW_OPT_FLAG, NULL, "print tables tab separated, without a heading", NULL},
    {"quiet", 'q', RW_OPT_FLAG, NULL, "print no remarks and no progress on standard error", NULL},
    {"verbose", 'v', RW_OPT_FLAG, NULL, "tell on standard error what is being done", NULL},
    {"color", 0, RW_OPT_STRING, "WHEN", "colour the output: auto, always, never (default auto)",
     "auto|always|never"},
    {"help", 'h', RW_OPT_FLAG, NULL, "show help; -h is the short form", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

const struct rw_option rw_connection_options[] = {
    {"brokers", 'b', RW_OPT_STRING, "HOST:PORT,...",
     "first brokers to ask (default $ROLLWAY_BROKERS or 127.0.0.1:9092)", NULL},
    {"timeout", 0, RW_OPT_DURATION, "TIME", "give up after this time (default 30s, streams: never)",
     NULL},
    {"connect-timeout", 0, RW_OPT_DURATION, "TIME",
     "give up connecting after this time (default 5s)", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

bool rw_option_takes_value(const struct rw_option *o)
{
    return o->kind != RW_OPT_FLAG && o->kind != RW_OPT_COUNT;
}

static const struct rw_option *find_name(const struct rw_option *options, const char *name,
                                         size_t n)
{
    for (; options && options->name; options++)
        if (strlen(options->name) == n && memcmp(options->name, name, n) == 0)
            return options;
    return NULL;
}

/* The only one that begins so; NULL: none does, or several. */
static const struct rw_option *find_beginning(const struct rw_option *options, const char *name,
                                              size_t n)
{
    const struct rw_option *found = NULL;
    for (; options && options->name; options++)
        if (strncmp(options->name, name, n) == 0) {
            if (found)
                return NULL;
            found = options;
        }
    return found;
}

static const struct rw_option *find_letter(const struct rw_option *options, char letter)
{
    for (; options && options->name; options++)
        if (options->letter == letter)
            return options;
    return NULL;
}

/* c may be NULL (before the command is known): the global ones only. */
const struct rw_option *rw_option_find(const struct rw_command *c, const char *name, size_t n)
{
    const struct rw_option *o = c ? find_name(c->options, name, n) : NULL;
    if (!o)
        o = find_name(rw_global_options, name, n);
    if (!o && !(c && c->local))
        o = find_name(rw_connection_options, name, n);
    if (!o && c && c->cut && n > 0)
        o = find_beginning(c->options, name, n);
    return o;
}

const struct rw_option *rw_option_find_letter(const struct rw_command *c, char letter)
{
    const struct rw_option *o = c ? find_letter(c->options, letter) : NULL;
    if (!o)
        o = find_letter(rw_global_options, letter);
    if (!o && !(c && c->local))
        o = find_letter(rw_connection_options, letter);
    return o;
}

/* How many of words[0..n) the name (blank separated, up to `end`) begins with; -1 when the name has
 * a word that differs. *ret_total: the words of the name. */
static int match_words(const char *name, const char *end, const char *const *words, int n,
                       int *ret_total)
{
    int at = 0, matched = 0;
    bool differs = false;
    while (name < end) {
        const char *stop = memchr(name, ' ', (size_t)(end - name));
        size_t len = (size_t)((stop ? stop : end) - name);
        if (at < n && !differs && strlen(words[at]) == len && memcmp(words[at], name, len) == 0)
            matched++;
        else
            differs = true;
        at++;
        name += len + (stop != NULL);
    }
    *ret_total = at;
    return matched;
}

static void match_name(const char *name, const char *end, const char *const *words, int n,
                       const struct rw_command *c, const struct rw_command **best, int *best_words,
                       int *prefix)
{
    int total;
    int matched = match_words(name, end, words, n, &total);
    if (matched == total && total > *best_words) {
        *best = c;
        *best_words = total;
    }
    if (matched > *prefix)
        *prefix = matched;
}

const struct rw_command *rw_command_find(const struct rw_command *const *table,
                                         const char *const *words, int n, int *ret_used)
{
    const struct rw_command *best = NULL;
    int best_words = 0, prefix = 0;
    for (; *table; table++) {
        const char *name = (*table)->name;
        match_name(name, name + strlen(name), words, n, *table, &best, &best_words, &prefix);
        for (const char *a = (*table)->aliases; a && *a;) {
            const char *end = a + strcspn(a, ",");
            match_name(a, end, words, n, *table, &best, &best_words, &prefix);
            a = end + strspn(end, ", ");
        }
    }
    *ret_used = best ? best_words : prefix;
    return best;
}

bool rw_command_is_group(const struct rw_command *const *table, const char *words)
{
    size_t n = strlen(words);
    for (; *table; table++) {
        const char *name = (*table)->name;
        if (strncmp(name, words, n) == 0 && name[n] == ' ')
            return true;
        for (const char *a = (*table)->aliases; a && *a;) {
            size_t len = strcspn(a, ",");
            if (len > n && strncmp(a, words, n) == 0 && a[n] == ' ')
                return true;
            a += len + strspn(a + len, ", ");
        }
    }
    return false;
}

/* ---- the parse ---- */

struct parse {
    const struct rw_command *const *table;
    char **argv;
    int argc, at;
    struct rw_parsed *out;
    const char *words[NAME_WORDS_MAX];
    int n_words;
    bool help, help_long, done; /* done: outcome is settled */
};

static void __attribute__((format(printf, 3, 4)))
wrong(struct parse *p, const char *hint, const char *format, ...)
{
    if (p->out->outcome == RW_PARSE_WRONG)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(p->out->error, sizeof(p->out->error), format, args);
    va_end(args);
    p->out->outcome = RW_PARSE_WRONG;
    p->done = true;
    if (hint)
        snprintf(p->out->hint, sizeof(p->out->hint), "%s", hint);
    else if (p->out->command)
        snprintf(p->out->hint, sizeof(p->out->hint), "rollway %s -h shows how",
                 p->out->command->name);
    else
        snprintf(p->out->hint, sizeof(p->out->hint), "rollway -h lists the commands");
}

static void offer_options(struct rw_suggest *s, const struct rw_option *options)
{
    for (; options && options->name; options++)
        rw_suggest_offer(s, options->name);
}

static void wrong_option(struct parse *p, const char *name, int n)
{
    const struct rw_command *c = p->out->command;
    char word[64], hint[128];
    snprintf(word, sizeof(word), "%.*s", n, name);
    struct rw_suggest s = {word, NULL, 0};
    offer_options(&s, c ? c->options : NULL);
    offer_options(&s, rw_global_options);
    if (!c || !c->local)
        offer_options(&s, rw_connection_options);
    if (s.best)
        snprintf(hint, sizeof(hint), "did you mean --%s?", s.best);
    wrong(p, s.best ? hint : NULL, "unknown option --%s", word);
}

/* Checks and stores one option with its value (NULL for flags). */
static void take_value(struct parse *p, const struct rw_option *o, const char *text)
{
    struct rw_cli_value v = {.option = o, .text = text};
    const char *said = text ? text : ""; /* what takes a value has one; an optimiser can not know */
    switch (o->kind) {
    case RW_OPT_INT:
        if (!rw_units_parse_int(rw_str(text), &v.number))
            wrong(p, NULL, "--%s wants a whole number, not \"%s\"", o->name, said);
        break;
    case RW_OPT_DURATION:
        if (!rw_units_parse_ms(rw_str(text), &v.number))
            wrong(p, "for example 500ms, 30s, 5m, 12h, 7d", "--%s wants a time span, not \"%s\"",
                  o->name, said);
        break;
    case RW_OPT_BYTES:
        if (!rw_units_parse_bytes(rw_str(text), &v.number))
            wrong(p, "for example 512, 64KiB, 1GiB", "--%s wants a size, not \"%s\"", o->name,
                  said);
        break;
    case RW_OPT_FLAG:
        if (strcmp(o->name, "help") == 0)
            p->help = true;
        break;
    case RW_OPT_STRING:
    case RW_OPT_LIST:
    case RW_OPT_COUNT:
    case RW_OPT_OPTIONAL:
        break;
    }
    p->out->values[p->out->n_values++] = v;
}

/* argv[at] is "--name" or "--name=value". */
static void take_long(struct parse *p)
{
    const char *arg = p->argv[p->at++] + 2;
    size_t n = strcspn(arg, "=");
    const char *value = arg[n] ? arg + n + 1 : NULL;
    const struct rw_option *o = rw_option_find(p->out->command, arg, n);
    if (!o && !p->out->command && n == 7 && memcmp(arg, "version", 7) == 0) {
        p->out->outcome = RW_PARSE_VERSION;
        p->done = true;
    } else if (!o) {
        wrong_option(p, arg, (int)n);
    } else if (!rw_option_takes_value(o)) {
        if (value)
            wrong(p, NULL, "--%s takes no value", o->name);
        p->help_long |= strcmp(o->name, "help") == 0;
        take_value(p, o, NULL);
    } else {
        bool may_lack = o->kind == RW_OPT_OPTIONAL;
        if (!value && !may_lack && p->at < p->argc)
            value = p->argv[p->at++];
        if (value || may_lack)
            take_value(p, o, value);
        else
            wrong(p, NULL, "--%s needs a value: %s", o->name, o->value_name);
    }
}

/* argv[at] is "-abc", "-n5" or "-n" "5". */
static void take_letters(struct parse *p)
{
    const char *arg = p->argv[p->at++] + 1;
    for (; *arg && !p->done; arg++) {
        const struct rw_option *o = rw_option_find_letter(p->out->command, *arg);
        if (!o) {
            wrong(p, NULL, "unknown option -%c", *arg);
        } else if (!rw_option_takes_value(o) || o->kind == RW_OPT_OPTIONAL) {
            take_value(p, o, NULL);
        } else {
            const char *value = arg[1] ? arg + 1 : p->at < p->argc ? p->argv[p->at++] : NULL;
            if (value)
                take_value(p, o, value);
            else
                wrong(p, NULL, "-%c needs a value: %s", *arg, o->value_name);
            return;
        }
    }
}

static bool is_option(const char *arg)
{
    return arg[0] == '-' && arg[1] != 0;
}

static void offer_words(struct rw_suggest *s, char keep[64], const char *name, const char *end,
                        const char *const *words, int n)
{
    int total;
    if (strncmp(name, "__", 2) == 0 || match_words(name, end, words, n, &total) != n || total <= n)
        return;
    for (int i = 0; i < n; i++)
        name += strcspn(name, " ") + 1;
    char word[64];
    snprintf(word, sizeof(word), "%.*s", (int)strcspn(name, " ,"), name);
    const char *before = s->best;
    int distance = s->distance;
    rw_suggest_offer(s, word);
    if (s->best == word) {
        snprintf(keep, 64, "%s", word);
        s->best = keep;
    } else {
        s->best = before;
        s->distance = distance;
    }
}

/* words[0..known) are the beginning of a command's name and words[known] is not its next word. */
static void wrong_command(struct parse *p, int known)
{
    char keep[64], hint[160], group[64] = "";
    struct rw_suggest s = {p->words[known], NULL, 0};
    for (int i = 0; i < known; i++) {
        size_t n = strlen(group);
        snprintf(group + n, sizeof(group) - n, "%s ", p->words[i]);
    }
    for (const struct rw_command *const *c = p->table; *c; c++) {
        offer_words(&s, keep, (*c)->name, (*c)->name + strlen((*c)->name), p->words, known);
        for (const char *a = (*c)->aliases; a && *a;) {
            const char *end = a + strcspn(a, ",");
            offer_words(&s, keep, a, end, p->words, known);
            a = end + strspn(end, ", ");
        }
    }
    if (s.best)
        snprintf(hint, sizeof(hint), "did you mean rollway %s%s?", group, s.best);
    else if (known)
        snprintf(hint, sizeof(hint), "rollway %s-h lists what there is", group);
    wrong(p, s.best || known ? hint : NULL, "unknown command \"%s%s\"", group, p->words[known]);
}

/* Reads the words of the command, with global options before and between them. */
static void take_command(struct parse *p)
{
    while (p->at < p->argc && !p->done) {
        const char *arg = p->argv[p->at];
        if (strcmp(arg, "--") == 0)
            break;
        if (is_option(arg)) {
            if (p->out->command)
                return; /* its own, so that what follows is no word of a longer name */
            if (arg[1] == '-')
                take_long(p);
            else
                take_letters(p);
            continue;
        }
        if (p->n_words == NAME_WORDS_MAX)
            break;
        p->words[p->n_words++] = arg;
        int used;
        const struct rw_command *c = rw_command_find(p->table, p->words, p->n_words, &used);
        size_t n = strlen(p->out->group);
        if (c && used == p->n_words) {
            p->out->command = c;
        } else if (p->out->command) {
            return; /* the longest name has been found: arg is an operand */
        } else if (used < p->n_words) {
            wrong_command(p, used);
            return;
        }
        p->at++;
        snprintf(p->out->group + n, sizeof(p->out->group) - n, "%s%s", n ? " " : "", arg);
        if (p->out->command &&
            (p->out->command->raw || !rw_command_is_group(p->table, p->out->group)))
            return;
    }
}

static void take_rest(struct parse *p)
{
    bool options = !p->out->command->raw;
    while (p->at < p->argc && !p->done) {
        const char *arg = p->argv[p->at];
        if (options && strcmp(arg, "--") == 0) {
            options = false;
            p->at++;
        } else if (options && is_option(arg) && arg[1] == '-') {
            take_long(p);
        } else if (options && is_option(arg)) {
            take_letters(p);
        } else {
            p->out->operands[p->out->n_operands++] = arg;
            p->at++;
        }
    }
}

/* Names the first of the operands that was not given. */
static void wrong_missing(struct parse *p, const char *operand, int given)
{
    for (int i = 0; i < given; i++)
        operand += strcspn(operand, " ") + 1;
    wrong(p, NULL, "%.*s is missing", (int)strcspn(operand, " ."), operand);
}

static void check_operands(struct parse *p)
{
    const struct rw_command *c = p->out->command;
    int n = p->out->n_operands;
    if (n < c->operands_min)
        wrong_missing(p, c->operands, n);
    else if (c->operands_max == 0 && n > 0)
        wrong(p, NULL, "unexpected operand \"%s\"", p->out->operands[0]);
    else if (c->operands_max >= 0 && n > c->operands_max)
        wrong(p, NULL, "one operand too many: \"%s\"", p->out->operands[c->operands_max]);
}

static void check_conflicts(struct parse *p)
{
    const char *colour = NULL;
    bool json = false, plain = false;
    for (int i = 0; i < p->out->n_values; i++) {
        const struct rw_cli_value *v = &p->out->values[i];
        json |= strcmp(v->option->name, "json") == 0;
        plain |= strcmp(v->option->name, "plain") == 0;
        if (strcmp(v->option->name, "color") == 0)
            colour = v->text;
    }
    if (json && plain)
        wrong(p, NULL, "--json and --plain exclude each other");
    if (colour && strcmp(colour, "auto") && strcmp(colour, "always") && strcmp(colour, "never"))
        wrong(p, NULL, "--color wants auto, always or never, not \"%s\"", colour);
}

static size_t letters_total(int argc, char **argv)
{
    size_t n = 8;
    for (int i = 1; i < argc; i++)
        n += argv[i][0] == '-' && argv[i][1] != '-' ? strlen(argv[i]) : 1;
    return n;
}

int rw_parse(const struct rw_command *const *table, int argc, char **argv,
             struct rw_parsed *ret_parsed)
{
    *ret_parsed = (struct rw_parsed){.outcome = RW_PARSE_RUN};
    struct parse p = {.table = table, .argv = argv, .argc = argc, .at = 1, .out = ret_parsed};
    /* Bounds: every letter of a cluster is at most one value, every argument at most one operand. */
    ret_parsed->values = rw_alloc_array(letters_total(argc, argv), sizeof(*ret_parsed->values));
    ret_parsed->operands = rw_alloc_array((size_t)argc + 1, sizeof(*ret_parsed->operands));
    if (!ret_parsed->values || !ret_parsed->operands) {
        rw_parsed_deinit(ret_parsed);
        return RW_E_NOMEM;
    }
    take_command(&p);
    if (ret_parsed->command && !p.done)
        take_rest(&p);
    if (p.done)
        return RW_OK;
    if (p.help) {
        ret_parsed->outcome = p.help_long ? RW_PARSE_HELP_LONG : RW_PARSE_HELP;
    } else if (!ret_parsed->command) {
        ret_parsed->outcome = ret_parsed->group[0] ? RW_PARSE_GROUP : RW_PARSE_OVERVIEW;
        if (p.at < argc)
            wrong(&p, NULL, "unexpected \"%s\"", argv[p.at]);
    } else {
        if (!ret_parsed->command->raw)
            check_operands(&p);
        check_conflicts(&p);
    }
    return RW_OK;
}

void rw_parsed_deinit(struct rw_parsed *p)
{
    rw_free(p->values);
    rw_free(p->operands);
    p->values = NULL;
    p->operands = NULL;
}
