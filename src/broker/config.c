/*
 * A broker's configuration: values by key, and the typed struct made of them.
 *
 * Invariant: a slot holds only canonical text, so that filling the struct can not fail. Later sources
 * overwrite earlier ones; the order is the caller's (file, environment, --set). Reading files and
 * variables is config_source.c, listeners config_listeners.c, topics config_topic.c.
 */
#include "broker/config.h"

#include <stdlib.h>
#include "base/assert.h"
#include "base/mem.h"
#include "broker/config_private.h"

#define STRINGS_MAX (16u << 20)

int rw_config_new(enum rw_config_profile profile, struct rw_config **ret_config)
{
    size_t n_keys;
    (void)rw_config_table(&n_keys);
    struct rw_config *c = rw_zalloc(sizeof(*c));
    if (!c)
        return RW_E_NOMEM;
    c->slots = rw_zalloc(n_keys * sizeof(*c->slots));
    if (!c->slots) {
        rw_free(c);
        return RW_E_NOMEM;
    }
    c->profile = profile;
    rw_arena_init(&c->arena, STRINGS_MAX);
    *ret_config = c;
    return RW_OK;
}

void rw_config_free(struct rw_config *c)
{
    if (!c)
        return;
    rw_arena_deinit(&c->arena);
    rw_free(c->notices.items);
    rw_free(c->unknown.items);
    rw_free(c->mistakes.items);
    rw_free(c->slots);
    rw_free(c);
}

const struct rw_broker_config *rw_config_broker(const struct rw_config *c)
{
    return &c->broker;
}

size_t rw_config_notices(const struct rw_config *c)
{
    return c->notices.n;
}

const char *rw_config_notice(const struct rw_config *c, size_t i)
{
    return c->notices.items[i];
}

void rw_config_collect(struct rw_config *c)
{
    c->collects = true;
}

size_t rw_config_mistakes(const struct rw_config *c)
{
    return c->mistakes.n;
}

const char *rw_config_mistake(const struct rw_config *c, size_t i)
{
    return c->mistakes.items[i];
}

static int add_text(struct rw_texts *t, const char *text)
{
    if (!text)
        return RW_E_NOMEM;
    const char **grown = rw_array_grow(t->items, t->n, &t->cap, sizeof(*grown));
    if (!grown)
        return RW_E_NOMEM;
    t->items = grown;
    t->items[t->n++] = text;
    return RW_OK;
}

int rw_config_mistaken(struct rw_config *c, int code, struct rw_err *err)
{
    if (!c->collects || code == RW_OK || code == RW_E_NOMEM)
        return code;
    if (add_text(&c->mistakes, rw_arena_printf(&c->arena, "%s", err->text)))
        return rw_err_set(err, RW_E_NOMEM, "out of memory");
    return RW_OK;
}

static int note_unknown(struct rw_config *c, struct rw_str name, const char *origin)
{
    const char *near = rw_config_nearest(RW_SCOPE_BROKER, name);
    const char *text = rw_arena_printf(&c->arena, "%s: unknown configuration key '%.*s'%s%s%s",
                                       origin, (int)name.n, name.p, near ? "; did you mean '" : "",
                                       near ? near : "", near ? "'?" : "");
    int rc = add_text(&c->unknown, text);
    return rc ? rc : add_text(&c->notices, text);
}

int rw_config_assign(struct rw_config *c, struct rw_str name, struct rw_str value,
                     const char *origin, struct rw_err *ret_err)
{
    size_t n_keys;
    const struct rw_config_key *key = rw_config_find(RW_SCOPE_BROKER, name);
    const char *at = rw_arena_printf(&c->arena, "%s", origin);
    if (!at)
        return rw_err_set(ret_err, RW_E_NOMEM, "out of memory");
    if (!key)
        return note_unknown(c, name, at);
    if (key->flags & RW_CONFIG_COMPAT &&
        add_text(&c->notices,
                 rw_arena_printf(&c->arena,
                                 "%s: %s is accepted for compatibility and has no effect", at,
                                 key->name)))
        return rw_err_set(ret_err, RW_E_NOMEM, "out of memory");
    struct rw_buf text;
    struct rw_err why;
    rw_buf_init(&text);
    int rc = rw_config_canonical(key, value, &text, &why);
    if (rc) {
        rw_buf_deinit(&text);
        c->slots[key - rw_config_table(&n_keys)].wrong = true;
        return rw_config_mistaken(c, rw_err_set(ret_err, rc, "%s: %s", origin, why.text), ret_err);
    }
    const char *kept = rw_arena_printf(&c->arena, "%s", rw_buf_cstr(&text));
    rw_buf_deinit(&text);
    if (!kept)
        return rw_err_set(ret_err, RW_E_NOMEM, "out of memory");
    c->slots[key - rw_config_table(&n_keys)] =
        (struct rw_config_slot){.text = kept, .origin = at, .wrong = false};
    return RW_OK;
}

static const struct rw_config_slot *slot_of(const struct rw_config *c,
                                            const struct rw_config_key *key)
{
    size_t n_keys;
    return &c->slots[key - rw_config_table(&n_keys)];
}

const char *rw_config_fallback(const struct rw_config *c, const struct rw_config_key *key)
{
    return c->profile == RW_PROFILE_DEV && key->dev ? key->dev : key->fallback;
}

/* What was set, by the strongest source. */
static const char *set_text(const struct rw_config *c, const struct rw_config_key *key)
{
    const struct rw_config_slot *slot = slot_of(c, key);
    return slot->own ? slot->own : slot->all ? slot->all : slot->text;
}

const char *rw_config_value(const struct rw_config *c, const struct rw_config_key *key,
                            enum rw_config_source *ret_source)
{
    const struct rw_config_slot *slot = slot_of(c, key);
    *ret_source = slot->own    ? RW_SOURCE_DYNAMIC_BROKER
                  : slot->all  ? RW_SOURCE_DYNAMIC_DEFAULT_BROKER
                  : slot->text ? RW_SOURCE_STATIC_BROKER
                               : RW_SOURCE_DEFAULT;
    return rw_config_layer(c, key, *ret_source);
}

const char *rw_config_layer(const struct rw_config *c, const struct rw_config_key *key,
                            enum rw_config_source source)
{
    const struct rw_config_slot *slot = slot_of(c, key);
    switch (source) {
    case RW_SOURCE_DYNAMIC_BROKER:
        return slot->own;
    case RW_SOURCE_DYNAMIC_DEFAULT_BROKER:
        return slot->all;
    case RW_SOURCE_STATIC_BROKER:
        return slot->text;
    case RW_SOURCE_DEFAULT:
        return rw_config_fallback(c, key);
    case RW_SOURCE_TOPIC:
        break;
    }
    return NULL;
}

const char *rw_config_origin(const struct rw_config *c, const struct rw_config_key *key)
{
    const struct rw_config_slot *slot = slot_of(c, key);
    return slot->text ? slot->origin : "default";
}

/* text times factor; negative values ("none") and overflow keep their meaning. */
static const char *scaled(const char *text, int64_t factor, struct rw_buf *buf)
{
    if (factor == 1)
        return text;
    long long v = strtoll(text, NULL, 10);
    if (v >= 0 && __builtin_mul_overflow(v, factor, &v))
        v = INT64_MAX;
    rw_buf_clear(buf);
    rw_buf_printf(buf, "%lld", v);
    return buf->failed ? text : rw_buf_cstr(buf);
}

const char *rw_config_effective(const struct rw_config *c, const struct rw_config_key *key,
                                struct rw_buf *buf)
{
    if (key->scope == RW_SCOPE_BROKER && set_text(c, key))
        return set_text(c, key);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < RW_SYNONYMS_MAX && key->synonyms[i].name; i++) {
            const struct rw_config_key *other =
                rw_config_find(RW_SCOPE_BROKER, rw_str(key->synonyms[i].name));
            RW_ASSERT(other);
            const char *text = pass ? rw_config_fallback(c, other) : set_text(c, other);
            if (text)
                return scaled(text, key->synonyms[i].factor, buf);
        }
        if (rw_config_fallback(c, key) && !key->synonyms[0].name)
            return rw_config_fallback(c, key);
    }
    return rw_config_fallback(c, key);
}

void rw_config_store(const struct rw_config_key *key, const char *text, void *field)
{
    switch (key->type) {
    case RW_CONFIG_BOOLEAN:
        RW_ASSERT(key->width == sizeof(bool));
        *(bool *)field = text && strcmp(text, "true") == 0;
        break;
    case RW_CONFIG_INT:
    case RW_CONFIG_SHORT:
    case RW_CONFIG_LONG: {
        long long v = text ? strtoll(text, NULL, 10) : 0;
        if (key->width == sizeof(int64_t))
            *(int64_t *)field = v;
        else
            *(int32_t *)field = (int32_t)v;
        break;
    }
    case RW_CONFIG_DOUBLE:
        *(double *)field = text ? strtod(text, NULL) : 0;
        break;
    case RW_CONFIG_STRING:
    case RW_CONFIG_LIST:
    case RW_CONFIG_CLASS:
    case RW_CONFIG_PASSWORD:
        *(const char **)field = text;
        break;
    }
}

void rw_config_fill(struct rw_config *c)
{
    size_t n_keys;
    const struct rw_config_key *keys = rw_config_table(&n_keys);
    struct rw_buf buf;
    rw_buf_init(&buf);
    for (size_t i = 0; i < n_keys; i++)
        if (keys[i].scope == RW_SCOPE_BROKER && keys[i].field)
            rw_config_store(&keys[i], rw_config_effective(c, &keys[i], &buf),
                            (char *)&c->broker + (keys[i].field - 1));
    rw_buf_deinit(&buf);
}

/* A value of its own is there, but it can not be: what it is compared with says nothing. */
static bool is_wrong(const struct rw_config *c, const char *name)
{
    return slot_of(c, rw_config_find(RW_SCOPE_BROKER, rw_str(name)))->wrong;
}

static int check_log_dirs(const struct rw_config *c, struct rw_err *ret_err)
{
    const char *dirs = c->broker.log_dirs;
    if (!dirs || !dirs[0])
        return rw_err_set(ret_err, RW_E_INVAL, "log.dirs is empty: name the data directory");
    if (strchr(dirs, ','))
        return rw_err_set(ret_err, RW_E_INVAL,
                          "log.dirs names several directories; this version uses one: "
                          "put them on one file system (RAID, LVM) or name just one");
    return RW_OK;
}

static int check_disk(const struct rw_config *c, struct rw_err *ret_err)
{
    const struct rw_broker_config *b = &c->broker;
    bool ascends = b->disk_warn_percent <= b->disk_throttle_percent &&
                   b->disk_throttle_percent <= b->disk_refuse_percent;
    if (ascends || is_wrong(c, "rollway.disk.warn.percent") ||
        is_wrong(c, "rollway.disk.throttle.percent") || is_wrong(c, "rollway.disk.refuse.percent"))
        return RW_OK;
    return rw_err_set(ret_err, RW_E_INVAL,
                      "rollway.disk.warn.percent, .throttle.percent and .refuse.percent must "
                      "not decrease in this order");
}

int rw_config_cross_check(struct rw_config *c, struct rw_err *ret_err)
{
    int rc = RW_OK;
    if (c->broker.node_id < 0)
        rc = rw_config_mistaken(
            c, rw_err_set(ret_err, RW_E_INVAL, "node.id (or broker.id) must not be negative"),
            ret_err);
    if (rc == RW_OK)
        rc = rw_config_mistaken(c, check_log_dirs(c, ret_err), ret_err);
    if (rc == RW_OK)
        rc = rw_config_mistaken(c, check_disk(c, ret_err), ret_err);
    return rc;
}

int rw_config_finish(struct rw_config *c, bool strict, struct rw_err *ret_err)
{
    int rc = RW_OK;
    for (size_t i = 0; strict && i < c->unknown.n && rc == RW_OK; i++)
        rc = rw_config_mistaken(c, rw_err_set(ret_err, RW_E_INVAL, "%s", c->unknown.items[i]),
                                ret_err);
    if (rc)
        return rc;
    rw_config_fill(c);
    rc = rw_config_cross_check(c, ret_err);
    if (rc == RW_OK)
        rc = rw_config_listeners(c, ret_err);
    if (rc == RW_OK && c->mistakes.n)
        rc = rw_err_set(ret_err, RW_E_INVAL, "%s", c->mistakes.items[0]);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    const struct rw_config_key *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

void rw_config_print(const struct rw_config *c, struct rw_buf *out)
{
    size_t n_keys, n = 0;
    const struct rw_config_key *keys = rw_config_table(&n_keys);
    const struct rw_config_key **sorted = rw_alloc_array(n_keys, sizeof(*sorted));
    if (!sorted) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < n_keys; i++)
        if (keys[i].scope == RW_SCOPE_BROKER)
            sorted[n++] = &keys[i];
    qsort(sorted, n, sizeof(*sorted), by_name);
    for (size_t i = 0; i < n; i++) {
        enum rw_config_source source;
        const char *value = rw_config_value(c, sorted[i], &source);
        if (!value)
            continue;
        rw_buf_printf(out, "%s=%s  # %s\n", sorted[i]->name,
                      sorted[i]->flags & RW_CONFIG_SECRET ? "(hidden)" : value,
                      rw_config_origin(c, sorted[i]));
    }
    rw_free(sorted);
}
