/*
 * Documents of the configuration keys: one row of the broker's table is one row of Markdown and one
 * entry of the man page, so that neither can lack a key or tell another default.
 */
#include "cli/config_docs.h"

#include <inttypes.h>
#include <string.h>
#include "base/human.h"
#include "base/units.h"
#include "broker/config.h"
#include "cli/man.h"

static const char *type_name(enum rw_config_type type)
{
    switch (type) {
    case RW_CONFIG_BOOLEAN:
        return "boolean";
    case RW_CONFIG_INT:
    case RW_CONFIG_SHORT:
    case RW_CONFIG_LONG:
        return "integer";
    case RW_CONFIG_DOUBLE:
        return "number";
    case RW_CONFIG_LIST:
        return "list";
    case RW_CONFIG_PASSWORD:
        return "password";
    case RW_CONFIG_STRING:
    case RW_CONFIG_CLASS:
        return "string";
    }
    return "string";
}

static const char *kind(const struct rw_config_key *k)
{
    return k->unit == RW_UNIT_MS ? "time" : k->unit == RW_UNIT_BYTES ? "size" : type_name(k->type);
}

/* As people would write it: 604800000 is 7d. */
static void value(struct rw_buf *out, const struct rw_config_key *k, const char *text)
{
    char buf[RW_HUMAN_SIZE];
    int64_t v;
    if (k->unit == RW_UNIT_NONE || !rw_units_parse_int(rw_str(text), &v) || v <= 0 ||
        v == INT64_MAX)
        rw_buf_add_str(out, text);
    else
        rw_buf_add_str(out, k->unit == RW_UNIT_MS ? rw_exact_ms(buf, v) : rw_exact_bytes(buf, v));
}

static bool shown(const struct rw_config_key *k, enum rw_config_scope scope, bool effect)
{
    return k->scope == scope && effect == !(k->flags & RW_CONFIG_COMPAT);
}

/* Every key of a topic can be changed at any time. */
static const char *live(const struct rw_config_key *k)
{
    return k->scope == RW_SCOPE_BROKER && k->flags & RW_CONFIG_DYNAMIC ? " Live." : "";
}

/* ---- Markdown ---- */

static void cell(struct rw_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            rw_buf_add_u8(out, '\\');
        rw_buf_add_u8(out, (uint8_t)*text);
    }
}

static void default_cell(struct rw_buf *out, const struct rw_config_key *k)
{
    if (k->fallback && *k->fallback) {
        rw_buf_add_str(out, "`");
        value(out, k, k->fallback);
        rw_buf_add_str(out, "`");
    }
    if (k->dev) {
        rw_buf_add_str(out, k->fallback && *k->fallback ? "; dev `" : "dev `");
        value(out, k, k->dev);
        rw_buf_add_str(out, "`");
    }
}

static void markdown_rows(struct rw_buf *out, enum rw_config_scope scope)
{
    size_t n;
    const struct rw_config_key *keys = rw_config_table(&n);
    rw_buf_add_str(out, "\n| key | kind | default | what |\n|---|---|---|---|\n");
    for (size_t i = 0; i < n; i++) {
        const struct rw_config_key *k = &keys[i];
        if (!shown(k, scope, true))
            continue;
        rw_buf_printf(out, "| `%s` | %s | ", k->name, kind(k));
        default_cell(out, k);
        rw_buf_add_str(out, " | ");
        cell(out, k->doc);
        rw_buf_add_str(out, live(k));
        for (int s = 0; s < RW_SYNONYMS_MAX && k->synonyms[s].name; s++)
            rw_buf_printf(out, "%s`%s`", s ? ", " : " When not set: ", k->synonyms[s].name);
        rw_buf_add_str(out, k->synonyms[0].name ? ". |\n" : " |\n");
    }
}

static void names_without_effect(struct rw_buf *out, const char *mark)
{
    size_t n;
    const struct rw_config_key *keys = rw_config_table(&n);
    const char *comma = "";
    for (size_t i = 0; i < n; i++)
        if (keys[i].flags & RW_CONFIG_COMPAT) {
            rw_buf_printf(out, "%s%s%s%s", comma, mark, keys[i].name, mark);
            comma = ",\n";
        }
    rw_buf_add_str(out, ".\n");
}

void rw_config_markdown(struct rw_buf *out)
{
    rw_buf_add_str(
        out,
        "# Configuration keys\n\n"
        "Made by `rollway __config markdown` out of the broker's table; the checks compare the "
        "two.\n"
        "Where values come from, and which wins, is in [operations](operations.md). Times are "
        "written\n"
        "`500ms`, `30s`, `7d`, `1h30m` or in milliseconds, sizes `64KiB`, `1GiB` or in bytes.\n\n"
        "## Keys of the broker\n\n"
        "Those marked \"Live\" can be changed while brokers run: `rollway cluster config set`.\n");
    markdown_rows(out, RW_SCOPE_BROKER);
    rw_buf_add_str(out,
                   "\n## Keys of topics\n\n"
                   "Set with `rollway topic create -c` and `rollway topic alter -s`. What a topic "
                   "does not set comes from\nthe broker's key.\n");
    markdown_rows(out, RW_SCOPE_TOPIC);
    rw_buf_add_str(out,
                   "\n## Keys without effect\n\nAccepted so that configuration files of Apache "
                   "Kafka load; a notice says that they do nothing:\n");
    names_without_effect(out, "`");
}

/* ---- man page ---- */

static void man_entries(struct rw_buf *out, enum rw_config_scope scope)
{
    size_t n;
    const struct rw_config_key *keys = rw_config_table(&n);
    struct rw_buf text;
    rw_buf_init(&text);
    for (size_t i = 0; i < n; i++) {
        const struct rw_config_key *k = &keys[i];
        if (!shown(k, scope, true))
            continue;
        rw_buf_add_str(out, "*");
        rw_man_escape(out, k->name);
        rw_buf_printf(out, "* (%s", kind(k));
        rw_buf_clear(&text);
        if (k->fallback && *k->fallback) {
            rw_buf_add_str(&text, ", default ");
            value(&text, k, k->fallback);
        }
        if (k->dev) {
            rw_buf_add_str(&text, ", dev ");
            value(&text, k, k->dev);
        }
        rw_man_escape(out, rw_buf_cstr(&text));
        rw_buf_add_str(out, ")\n\t");
        rw_man_escape(out, k->doc);
        rw_buf_add_str(out, live(k));
        for (int s = 0; s < RW_SYNONYMS_MAX && k->synonyms[s].name; s++) {
            rw_buf_add_str(out, s ? ", " : " When not set: ");
            rw_man_escape(out, k->synonyms[s].name);
        }
        rw_buf_add_str(out, k->synonyms[0].name ? ".\n\n" : "\n\n");
    }
    out->failed |= text.failed;
    rw_buf_deinit(&text);
}

void rw_config_man(struct rw_buf *out)
{
    rw_buf_add_str(
        out,
        "rollway-config(5)\n\n# NAME\n\nrollway-config - configuration keys of the broker and of "
        "topics\n\n# SYNTAX\n\nA file of *rollway server \\-\\-config* has the syntax of Java's "
        "properties: KEY=VALUE, *#* begins a comment, a backslash at the end of a line continues "
        "it. Environment variables (ROLLWAY\\_NODE\\_ID is node.id) and *\\-\\-set* win over the "
        "file. Times are written 500ms, 30s, 7d, 1h30m or in milliseconds, sizes 64KiB, 1GiB or "
        "in bytes. An unknown key is a warning; with *\\-\\-strict* and *\\-\\-check-config* an "
        "error.\n\n# KEYS OF THE BROKER\n\nThose marked Live can be changed while brokers run: "
        "*rollway "
        "cluster config set*.\n\n");
    man_entries(out, RW_SCOPE_BROKER);
    rw_buf_add_str(
        out, "# KEYS OF TOPICS\n\nWhat a topic does not set comes from the broker's key.\n\n");
    man_entries(out, RW_SCOPE_TOPIC);
    rw_buf_add_str(out,
                   "# KEYS WITHOUT EFFECT\n\nAccepted so that configuration files of Apache Kafka "
                   "load:\n\n");
    names_without_effect(out, "");
    rw_buf_add_str(out, "\n# SEE ALSO\n\n*rollway-server*(1)\n");
}
