/*
 * Where configuration values come from: properties text, environment variables, --set.
 *
 * The syntax of files is base/properties.h's. A key without '=' and value, which is an empty value to
 * Java, is an error here: it is a typing mistake, and must not pass for an unknown key.
 */
#include "broker/config.h"

#include <errno.h>
#include <stdio.h>
#include "base/mem.h"
#include "base/properties.h"
#include "broker/config_private.h"

#define FILE_MAX (1u << 20)

struct source {
    struct rw_config *c;
    const char *name;
    struct rw_err *err;
};

/* Trailing blanks of a value are dropped: Java keeps them, which only ever surprises. */
static struct rw_str without_blanks(struct rw_str s)
{
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\f'))
        s.n--;
    return s;
}

static int assign_property(void *arg, const struct rw_property *p)
{
    struct source *s = arg;
    char origin[600];
    (void)snprintf(origin, sizeof(origin), "%s:%d", s->name, p->line);
    if (p->key.n == 0)
        return rw_config_mistaken(
            s->c, rw_err_set(s->err, RW_E_INVAL, "%s: no key before '='", origin), s->err);
    if (p->bare)
        return rw_config_mistaken(s->c,
                                  rw_err_set(s->err, RW_E_INVAL,
                                             "%s: '%s' without a value; a line is KEY=VALUE",
                                             origin, p->key.p),
                                  s->err);
    return rw_config_assign(s->c, p->key, without_blanks(p->value), origin, s->err);
}

int rw_config_load_text(struct rw_config *c, const char *name, struct rw_str text,
                        struct rw_err *ret_err)
{
    struct rw_err err = {0}, syntax = {0};
    struct source s = {c, name, &err};
    int rc = rw_properties_parse(rw_slice(text.p, text.n > 0 ? (size_t)text.n : 0), assign_property,
                                 &s, &syntax);
    if (rc && *syntax.text) /* it names the line; what follows can not be told apart */
        return rw_config_mistaken(c, rw_err_set(ret_err, rc, "%s, %s", name, syntax.text), ret_err);
    if (rc)
        *ret_err = err;
    return rc;
}

static int read_whole(struct rw_file *f, const char *path, struct rw_buf *out,
                      struct rw_err *ret_err)
{
    uint64_t size;
    size_t got = 0;
    int rc = f->ops->size(f, &size);
    if (rc == RW_OK && size > FILE_MAX)
        return rw_err_set(ret_err, RW_E_TOO_BIG, "%s is larger than 1 MiB: not a configuration",
                          path);
    uint8_t *p = rc == RW_OK ? rw_buf_extend(out, (size_t)size) : NULL;
    if (rc == RW_OK && !p && size > 0)
        rc = RW_E_NOMEM;
    if (rc == RW_OK && size > 0)
        rc = rw_file_read_at(f, 0, p, (size_t)size, &got);
    if (rc)
        return rw_err_set(ret_err, rc, "cannot read %s: %s", path, rw_code_text(rc));
    out->n = got;
    return RW_OK;
}

int rw_config_load_file(struct rw_config *c, struct rw_vfs *vfs, const char *path,
                        struct rw_err *ret_err)
{
    struct rw_file *f;
    struct rw_stat st;
    if (vfs->ops->stat(vfs, path, &st) == RW_OK && st.is_dir)
        return rw_err_set(ret_err, RW_E_INVAL, "%s is a directory, not a configuration file", path);
    int rc = rw_vfs_open(vfs, path, RW_OPEN_READ, &f);
    if (rc)
        return rw_err_set(ret_err, rc, "cannot open %s: %s", path, rw_code_text(rc));
    struct rw_buf text;
    rw_buf_init(&text);
    rc = read_whole(f, path, &text, ret_err);
    rw_file_close(f);
    if (rc == RW_OK)
        rc = rw_config_load_text(c, path, (struct rw_str){(const char *)text.p, (int32_t)text.n},
                                 ret_err);
    rw_buf_deinit(&text);
    return rc;
}

/* The rule of Kafka's container image: ___ is -, __ is _, _ is a dot; letters in lower case. */
static void variable_to_key(struct rw_str name, struct rw_buf *key)
{
    for (int32_t i = 0; i < name.n;) {
        int32_t run = 0;
        while (i + run < name.n && run < 3 && name.p[i + run] == '_')
            run++;
        char c = name.p[i];
        if (run)
            c = run == 3 ? '-' : run == 2 ? '_' : '.';
        else if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        rw_buf_add_u8(key, (uint8_t)c);
        i += run ? run : 1;
    }
}

static bool starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* ROLLWAY_NODE_ID is node.id, and ROLLWAY_HTTP_LISTEN is rollway.http.listen: a key of our own may
 * drop the doubled word. */
static int assign_variable(struct rw_config *c, const char *variable, const char *prefix,
                           struct rw_buf *key, struct rw_err *ret_err)
{
    const char *equals = strchr(variable, '=');
    const char *from = variable + strlen(prefix);
    if (!equals || equals == from)
        return RW_OK;
    rw_buf_clear(key);
    rw_buf_add_str(key, "rollway.");
    variable_to_key((struct rw_str){from, (int32_t)(equals - from)}, key);
    const char *own = rw_buf_cstr(key), *plain = own + strlen("rollway.");
    bool is_own =
        starts_with(prefix, "ROLLWAY_") && rw_config_find(RW_SCOPE_BROKER, rw_str(own)) != NULL;
    const char *name = is_own ? own : plain;
    /* KAFKA_HEAP_OPTS and others configure programs, not the broker: only what looks like a
     * misspelt key is worth a notice. */
    if (!rw_config_find(RW_SCOPE_BROKER, rw_str(name)) &&
        !rw_config_nearest(RW_SCOPE_BROKER, rw_str(name)))
        return RW_OK;
    char origin[300];
    (void)snprintf(origin, sizeof(origin), "environment %.*s", (int)(equals - variable), variable);
    return rw_config_assign(c, rw_str(name), rw_str(equals + 1), origin, ret_err);
}

int rw_config_load_env(struct rw_config *c, char *const *environment, struct rw_err *ret_err)
{
    /* ROLLWAY_ last, so that it wins over KAFKA_. */
    static const char *const prefixes[] = {"KAFKA_", "ROLLWAY_"};
    struct rw_buf key;
    rw_buf_init(&key);
    int rc = RW_OK;
    for (size_t p = 0; p < 2 && rc == RW_OK; p++)
        for (size_t i = 0; environment && environment[i] && rc == RW_OK; i++)
            if (starts_with(environment[i], prefixes[p]))
                rc = assign_variable(c, environment[i], prefixes[p], &key, ret_err);
    rw_buf_deinit(&key);
    return rc;
}

int rw_config_set(struct rw_config *c, const char *assignment, struct rw_err *ret_err)
{
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment)
        return rw_config_mistaken(
            c, rw_err_set(ret_err, RW_E_INVAL, "--set %s: write KEY=VALUE", assignment), ret_err);
    return rw_config_assign(c, (struct rw_str){assignment, (int32_t)(equals - assignment)},
                            rw_str(equals + 1), "--set", ret_err);
}
