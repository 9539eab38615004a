/*
 * What the appenders know of call sites. The dictionary may come from a dead process whose file somebody has damaged: a site
 * is believed only when every offset in it lies inside, its types are types, and its format splits into exactly these
 * parts. After that nobody needs to check it again.
 */
#include <string.h>
#include "base/mem.h"
#include "logger/view.h"

enum {
    KNOWN_MAX = 1 << 16, /* a program has fewer; a damaged file may claim any number */
    KEY_MAX = 9000       /* what site.c keeps; escaped, its length still has 16 bits */
};

void rw_lg_knowledge_deinit(struct rw_lg_knowledge *k)
{
    for (size_t i = 0; i < k->cap; i++)
        rw_free(k->by_id[i]);
    rw_free(k->by_id);
    rw_free(k->ids);
    *k = (struct rw_lg_knowledge){.map = k->map};
}

bool rw_lg_key_taken(const char *key, size_t n, const char *message_key)
{
    const char *const taken[] = {"time", "level", "logger", message_key};
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
        if (n == strlen(taken[i]) && !memcmp(key, taken[i], n))
            return true;
    return false;
}

/* Text of a site, which ends inside it; the last byte of a site is 0. */
static bool text_of(const struct rw_lg_site *s, size_t at, const char **ret_text, size_t *ret_n)
{
    if (at >= s->size)
        return false;
    *ret_text = (const char *)s + at;
    *ret_n = strlen(*ret_text);
    return true;
}

/* The parts are what the format says, and the types are those of its arguments. */
static bool format_is_sound(const struct rw_lg_site *s, const char *message)
{
    struct rw_lg_part parts[RW_LG_PARTS], single = {.type = ROLLWAY_T_CSTR_, .plain = 1};
    const uint8_t *stored = (const uint8_t *)s + s->parts_at, *types = rw_lg_site_types(s);
    unsigned args = 0, n = rw_lg_format_parse(message, parts, RW_LG_PARTS, &args), at = 0;
    if (n == 0 || args > RW_LG_FIELDS) {
        parts[0] = single;
        n = args = 1;
    }
    if (s->n_parts != n || s->n_fields != args || memcmp(stored, parts, n * sizeof(parts[0])) != 0)
        return false;
    for (unsigned i = 0; i < n; i++) {
        for (unsigned star = parts[i].stars; star; star &= star - 1)
            if (types[at++] != ROLLWAY_T_INT_)
                return false;
        if (parts[i].type && types[at++] != parts[i].type)
            return false;
    }
    return true;
}

static bool fields_are_sound(const struct rw_lg_site *s, size_t *ret_key_bytes)
{
    size_t at = s->keys_at, bytes = 0;
    for (unsigned i = 0; i < s->n_fields; i++) {
        const char *key;
        size_t n;
        uint8_t type = rw_lg_site_types(s)[i];
        if (type < ROLLWAY_T_INT_ || type > ROLLWAY_T_BYTES_ || !text_of(s, at, &key, &n) ||
            n > KEY_MAX)
            return false;
        at += n + 1;
        bytes += n;
    }
    *ret_key_bytes = bytes;
    return true;
}

static const char *end_text(struct rw_lg_out *o, const char *from, size_t *ret_n)
{
    *ret_n = (size_t)(o->p + o->n - from);
    return from;
}

static void make_key(struct rw_lg_key *key, struct rw_lg_out *o)
{
    size_t n;
    bool taken = rw_lg_key_taken(key->p, key->n, "message");
    const char *from = o->p + o->n;
    rw_lg_put_lit(o, ",\"");
    rw_lg_put_json(o, key->p, key->n);
    rw_lg_put_cstr(o, taken ? "_\":" : "\":");
    key->json = end_text(o, from, &n);
    key->json_n = (uint16_t)n;
    from = o->p + o->n;
    taken = rw_lg_key_taken(key->p, key->n, "msg");
    rw_lg_put_char(o, ' ');
    rw_lg_put_logfmt_key(o, key->p, key->n);
    rw_lg_put_cstr(o, taken ? "_=" : "=");
    key->logfmt = end_text(o, from, &n);
    key->logfmt_n = (uint16_t)n;
}

/* An escaped byte takes 6 at most. */
static struct rw_lg_known *make(const struct rw_lg_site *s)
{
    const char *message, *file, *function;
    size_t message_n, n, key_bytes = 0;
    if (!text_of(s, s->message_at, &message, &message_n) || !text_of(s, s->file_at, &file, &n) ||
        !text_of(s, s->function_at, &function, &n) || s->level >= RW_LG_LEVELS)
        return NULL;
    if (s->n_parts ? !format_is_sound(s, message) : !fields_are_sound(s, &key_bytes))
        return NULL;
    unsigned keys = s->n_parts ? 0 : s->n_fields;
    size_t text = s->n_parts ? 0 : 12 * (message_n + 1) + 7 * key_bytes + 16 * (size_t)keys;
    size_t fixed = sizeof(struct rw_lg_known) + keys * sizeof(struct rw_lg_key);
    struct rw_lg_known *known = rw_zalloc(fixed + text);
    if (!known)
        return NULL;
    known->site = s;
    known->message = message;
    known->message_n = message_n;
    known->file = file;
    known->function = function;
    memcpy(known->types, rw_lg_site_types(s), s->n_fields);
    struct rw_lg_out o = {(char *)known + fixed, text, 0};
    if (!s->n_parts) {
        known->json = o.p;
        rw_lg_put_json(&o, message, message_n);
        known->json_n = o.n;
        known->logfmt = o.p + o.n;
        rw_lg_put_logfmt(&o, message, message_n);
        known->logfmt_n = o.n - known->json_n;
    }
    size_t at = s->keys_at;
    for (unsigned i = 0; i < keys; i++) {
        struct rw_lg_key *key = &known->keys[i];
        key->p = (const char *)s + at;
        n = strlen(key->p);
        key->n = (uint16_t)n;
        key->type = known->types[i];
        make_key(key, &o);
        at += n + 1;
    }
    return known;
}

static size_t slot_of(const struct rw_lg_knowledge *k, uint32_t id)
{
    size_t i = (id * 0x9e3779b1u) >> 7 & (k->cap - 1);
    while (k->by_id[i] && k->ids[i] != id)
        i = (i + 1) & (k->cap - 1);
    return i;
}

static bool grow(struct rw_lg_knowledge *k)
{
    struct rw_lg_knowledge more = {.map = k->map, .n = k->n, .cap = k->cap ? k->cap * 2 : 64};
    more.by_id = rw_zalloc(more.cap * sizeof(more.by_id[0]));
    more.ids = rw_zalloc(more.cap * sizeof(more.ids[0]));
    if (!more.by_id || !more.ids) {
        rw_free(more.by_id);
        rw_free(more.ids);
        return false;
    }
    for (size_t i = 0; i < k->cap; i++)
        if (k->by_id[i]) {
            size_t to = slot_of(&more, k->ids[i]);
            more.by_id[to] = k->by_id[i];
            more.ids[to] = k->ids[i];
        }
    rw_free(k->by_id);
    rw_free(k->ids);
    *k = more;
    return true;
}

const struct rw_lg_known *rw_lg_know(struct rw_lg_knowledge *k, uint32_t id)
{
    if (k->cap) {
        const struct rw_lg_known *known = k->by_id[slot_of(k, id)];
        if (known)
            return known;
    }
    const struct rw_lg_site *s = rw_lg_site_find(k->map, id);
    if (!s)
        return NULL;
    if (k->n == KNOWN_MAX)
        rw_lg_knowledge_deinit(k);
    if (k->n * 2 >= k->cap && !grow(k))
        return NULL;
    struct rw_lg_known *known = make(s);
    if (!known)
        return NULL;
    size_t i = slot_of(k, id);
    k->by_id[i] = known;
    k->ids[i] = id;
    k->n++;
    return known;
}
