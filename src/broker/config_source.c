/*
 * Where configuration values come from: properties text, environment variables, --set.
 *
 * Properties are Java's as far as people use them in server.properties: '#' and '!' comments, '=', ':'
 * or blanks between key and value, a backslash at the end of a line continues it, \t \n \r \f \\ and
 * \uXXXX escapes. Input is taken as UTF-8. Trailing blanks of a value are dropped (Java keeps them,
 * which only ever surprises).
 */
#include "broker/config.h"

#include <errno.h>
#include <stdio.h>
#include "base/mem.h"
#include "broker/config_private.h"

#define FILE_MAX (1u << 20)

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f' || c == '\r';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static void add_utf8(struct rw_buf *out, unsigned u)
{
    if (u < 0x80) {
        rw_buf_add_u8(out, (uint8_t)u);
    } else if (u < 0x800) {
        rw_buf_add_u8(out, (uint8_t)(0xc0 | u >> 6));
        rw_buf_add_u8(out, (uint8_t)(0x80 | (u & 0x3f)));
    } else {
        rw_buf_add_u8(out, (uint8_t)(0xe0 | u >> 12));
        rw_buf_add_u8(out, (uint8_t)(0x80 | (u >> 6 & 0x3f)));
        rw_buf_add_u8(out, (uint8_t)(0x80 | (u & 0x3f)));
    }
}

/* Decodes the escape after a backslash; returns where to go on, NULL for a bad \u. */
static const char *unescape(const char *p, const char *end, struct rw_buf *out)
{
    if (*p == 'u') {
        unsigned u = 0;
        if (end - p < 5)
            return NULL;
        for (int i = 1; i <= 4; i++) {
            int d = hex_digit(p[i]);
            if (d < 0)
                return NULL;
            u = u << 4 | (unsigned)d;
        }
        add_utf8(out, u);
        return p + 5;
    }
    static const char from[] = "tnrf", to[] = "\t\n\r\f";
    const char *which = strchr(from, *p);
    rw_buf_add_u8(out, (uint8_t)(which && *p ? to[which - from] : *p));
    return p + 1;
}

/* One logical line (continuations already joined) into key and value. */
static int split_line(struct rw_str line, struct rw_buf *key, struct rw_buf *value)
{
    const char *p = line.p, *end = line.p + line.n;
    struct rw_buf *into = key;
    size_t solid = 0; /* length of the value without trailing plain blanks */
    while (p < end) {
        if (*p == '\\' && p + 1 < end) {
            p = unescape(p + 1, end, into);
            if (!p)
                return RW_E_INVAL;
            solid = into->n;
            continue;
        }
        if (into == key && (*p == '=' || *p == ':' || is_blank(*p))) {
            while (p < end && is_blank(*p))
                p++;
            if (p < end && (*p == '=' || *p == ':'))
                p++;
            while (p < end && is_blank(*p))
                p++;
            into = value;
            solid = 0;
            continue;
        }
        rw_buf_add_u8(into, (uint8_t)*p);
        if (!is_blank(*p))
            solid = into->n;
        p++;
    }
    if (into == value && !value->failed)
        value->n = solid;
    return key->failed || value->failed ? RW_E_NOMEM : RW_OK;
}

struct lines {
    const char *p, *end;
    int number;
};

/* The next logical line that is neither blank nor a comment; joins continued lines into buf. */
static bool next_line(struct lines *l, struct rw_buf *buf, int *ret_number)
{
    bool continued = false;
    rw_buf_clear(buf);
    while (l->p < l->end) {
        const char *nl = memchr(l->p, '\n', (size_t)(l->end - l->p));
        const char *from = l->p, *to = nl ? nl : l->end;
        l->p = nl ? nl + 1 : l->end;
        l->number++;
        while (from < to && is_blank(*from))
            from++;
        if (to > from && to[-1] == '\r')
            to--;
        if (!continued && (from == to || *from == '#' || *from == '!'))
            continue;
        if (!continued)
            *ret_number = l->number;
        size_t slashes = 0;
        while ((size_t)(to - from) > slashes && to[-1 - (ptrdiff_t)slashes] == '\\')
            slashes++;
        continued = slashes % 2 == 1;
        rw_buf_add(buf, from, (size_t)(to - from) - (continued ? 1 : 0));
        if (!continued)
            return true;
    }
    return buf->n > 0;
}

int rw_config_load_text(struct rw_config *c, const char *name, struct rw_str text,
                        struct rw_err *ret_err)
{
    struct lines lines = {text.p, text.p + (text.n > 0 ? text.n : 0), 0};
    struct rw_buf line, key, value;
    rw_buf_init(&line);
    rw_buf_init(&key);
    rw_buf_init(&value);
    int rc = RW_OK, number = 0;
    while (rc == RW_OK && next_line(&lines, &line, &number)) {
        char origin[600];
        (void)snprintf(origin, sizeof(origin), "%s:%d", name, number);
        rw_buf_clear(&key);
        rw_buf_clear(&value);
        rc = split_line((struct rw_str){(const char *)line.p, (int32_t)line.n}, &key, &value);
        if (rc == RW_E_INVAL)
            rc = rw_err_set(ret_err, rc, "%s: bad \\u escape", origin);
        else if (rc || line.failed)
            rc = rw_err_set(ret_err, RW_E_NOMEM, "out of memory");
        else if (key.n == 0)
            rc = rw_err_set(ret_err, RW_E_INVAL, "%s: no key before '='", origin);
        else
            rc = rw_config_assign(c, rw_str(rw_buf_cstr(&key)), rw_str(rw_buf_cstr(&value)), origin,
                                  ret_err);
    }
    rw_buf_deinit(&line);
    rw_buf_deinit(&key);
    rw_buf_deinit(&value);
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
        return rw_err_set(ret_err, RW_E_INVAL, "--set %s: write KEY=VALUE", assignment);
    return rw_config_assign(c, (struct rw_str){assignment, (int32_t)(equals - assignment)},
                            rw_str(equals + 1), "--set", ret_err);
}
