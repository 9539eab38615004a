/* The dictionary of call sites. Registering is lock-free: room is taken by one atomic addition. */
#include "logger/site.h"

#include <string.h>
#include "logger/entry.h"

enum { STRING_MAX = 9000 };

struct draft {
    const char *keys[RW_LG_FIELDS];
    uint8_t types[RW_LG_FIELDS];
    struct rw_lg_part parts[RW_LG_PARTS];
    unsigned n_fields, n_parts;
    bool formatted;
};

static void draft_fields(const struct rollway_site *site, struct draft *d)
{
    d->n_fields = site->n_fields;
    for (unsigned i = 0; i < d->n_fields; i++) {
        d->keys[i] = site->fields[i].key;
        d->types[i] = site->fields[i].type;
    }
}

/* Arguments in the order in which va_arg takes them. A format that can not be kept has one: its text. */
static void draft_format(const struct rollway_site *site, struct draft *d)
{
    unsigned args;
    d->n_parts = rw_lg_format_parse(site->message, d->parts, RW_LG_PARTS, &args);
    if (d->n_parts && args <= RW_LG_FIELDS) {
        for (unsigned i = 0; i < d->n_parts; i++) {
            if (d->parts[i].stars & 1)
                d->types[d->n_fields++] = ROLLWAY_T_INT_;
            if (d->parts[i].stars & 2)
                d->types[d->n_fields++] = ROLLWAY_T_INT_;
            if (d->parts[i].type)
                d->types[d->n_fields++] = d->parts[i].type;
        }
        return;
    }
    d->n_fields = 0;
    d->formatted = true;
    d->n_parts = 1;
    d->parts[0] = (struct rw_lg_part){.type = ROLLWAY_T_CSTR_, .plain = 1};
    d->types[d->n_fields++] = ROLLWAY_T_CSTR_;
}

static size_t bounded(const char *s)
{
    return s ? strnlen(s, STRING_MAX) : 0;
}

static uint16_t put_text(uint8_t *p, size_t *at, const char *s)
{
    size_t n = bounded(s), from = *at;
    if (n)
        memcpy(p + from, s, n);
    p[from + n] = 0;
    *at = from + n + 1;
    return (uint16_t)from;
}

/* `size` bytes of the dictionary; NULL: there are none. */
static uint8_t *take(struct rw_lg_map *m, size_t size, uint32_t *ret_id)
{
    struct rw_lg_shared *h = rw_lg_header(m);
    uint64_t at = atomic_fetch_add(&h->dictionary_used, size);
    if (size > UINT16_MAX || at + size > h->dictionary_bytes ||
        !rw_os_shared_populate(&m->mem, h->dictionary_at + at, size))
        return NULL;
    *ret_id = (uint32_t)(at / 8);
    return m->mem.p + h->dictionary_at + at;
}

uint32_t rw_lg_site_adopt(struct rw_lg_map *m, const struct rw_lg_site *site)
{
    uint32_t id;
    uint8_t *p = take(m, site->size, &id);
    if (!p)
        return 0;
    memcpy(p, site, site->size);
    return id;
}

uint32_t rw_lg_site_register(struct rw_lg_map *m, const struct rollway_site *site)
{
    struct draft d;
    d.n_fields = d.n_parts = 0;
    d.formatted = false;
    if (site->fields)
        draft_fields(site, &d);
    else
        draft_format(site, &d);
    size_t size = sizeof(struct rw_lg_site) + d.n_parts * sizeof(d.parts[0]) + d.n_fields +
                  bounded(site->message) + bounded(site->file) + bounded(site->function) + 3;
    for (unsigned i = 0; site->fields && i < d.n_fields; i++)
        size += bounded(d.keys[i]) + 1;
    size = rw_lg_align(size);
    uint32_t id;
    uint8_t *p = take(m, size, &id);
    if (!p)
        return 0;
    struct rw_lg_site *s = (struct rw_lg_site *)(void *)p;
    size_t used = sizeof(*s);
    *s = (struct rw_lg_site){.line = site->line,
                             .level = site->level,
                             .n_fields = (uint8_t)d.n_fields,
                             .n_parts = (uint8_t)d.n_parts,
                             .formatted = d.formatted};
    s->parts_at = (uint16_t)used;
    memcpy(p + used, d.parts, d.n_parts * sizeof(d.parts[0]));
    used += d.n_parts * sizeof(d.parts[0]);
    s->types_at = (uint16_t)used;
    memcpy(p + used, d.types, d.n_fields);
    used += d.n_fields;
    s->message_at = put_text(p, &used, site->message);
    s->file_at = put_text(p, &used, site->file);
    s->function_at = put_text(p, &used, site->function);
    s->keys_at = (uint16_t)used;
    for (unsigned i = 0; site->fields && i < d.n_fields; i++)
        put_text(p, &used, d.keys[i]);
    s->size = (uint32_t)size; /* last: it says that the rest is there */
    return id;
}

uint64_t rw_lg_site_follow(const struct rw_lg_site *s)
{
    const uint8_t *types = rw_lg_site_types(s);
    uint64_t follow = 0;
    /* The errno of a format is there already; that of a field lies in a compound literal. */
    unsigned least = s->n_parts ? ROLLWAY_T_CSTR_ : ROLLWAY_T_ERRNO_;
    for (unsigned i = 0; i < s->n_fields; i++)
        if (types[i] >= least)
            follow |= (uint64_t)types[i] << (4 * i);
    return follow;
}

/* In a file that somebody else wrote, anything may stand. */
static bool whole(const struct rw_lg_site *s, uint64_t room)
{
    if (s->size < sizeof(*s) || s->size > room || s->size > UINT16_MAX || s->size % 8 ||
        s->n_fields > RW_LG_FIELDS)
        return false;
    if (s->parts_at + s->n_parts * sizeof(struct rw_lg_part) > s->size || (s->parts_at & 3) ||
        s->types_at + s->n_fields > s->size || s->message_at >= s->size || s->file_at >= s->size ||
        s->function_at >= s->size || s->keys_at > s->size)
        return false;
    return ((const char *)s)[s->size - 1] == 0;
}

const struct rw_lg_site *rw_lg_site_find(const struct rw_lg_map *m, uint32_t id)
{
    const struct rw_lg_shared *h = rw_lg_header(m);
    uint64_t at = (uint64_t)id * 8;
    if (at < 8 || at + sizeof(struct rw_lg_site) > h->dictionary_bytes)
        return NULL;
    const struct rw_lg_site *s = (const void *)(m->mem.p + h->dictionary_at + at);
    return whole(s, h->dictionary_bytes - at) ? s : NULL;
}
