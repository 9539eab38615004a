/* An entry and its call site into a view. The entry may be foreign: each length is checked against its size. */
#include "logger/view.h"

#include "logger/context.h"

static const struct rw_lg_key suppressed = {
    "suppressed", ",\"suppressed\":", " suppressed=", 10, 14, 12, ROLLWAY_T_UINT_};
static const struct rw_lg_key sample = {"sample", ",\"sample\":", " sample=", 6, 10,
                                        8,        ROLLWAY_T_UINT_};
static const struct rw_lg_key truncated = {"truncated", ",\"truncated\":", " truncated=", 9, 13,
                                           11,          ROLLWAY_T_BOOL_};

const char *rw_lg_level_name(unsigned level)
{
    static const char *const names[] = {"trace", "debug", "info", "warn", "error", "fatal"};
    return level < RW_LG_LEVELS ? names[level] : "off";
}

static void find_logger(const struct rw_lg_map *m, unsigned id, struct rw_lg_view *v)
{
    const struct rw_lg_shared *h = rw_lg_header(m);
    v->logger = "";
    v->logger_n = 0;
    if (id >= RW_LG_LOGGERS)
        return;
    const char *name = (const char *)m->mem.p + h->loggers_at + (size_t)id * RW_LG_NAME;
    size_t n = *name ? strnlen(name, RW_LG_NAME) : 0;
    if (n < RW_LG_NAME) {
        v->logger = name;
        v->logger_n = n;
    }
}

static void add_context(struct rw_lg_view *v, const char *p, size_t n)
{
    struct rw_lg_context_field f;
    for (size_t at = 0; v->n_fields < RW_LG_CONTEXT_FIELDS && rw_lg_context_next(p, n, &at, &f);) {
        v->fields[v->n_fields++] =
            (struct rw_lg_field){.key = f.key,
                                 .key_n = f.key_n,
                                 .value = {.type = ROLLWAY_T_TEXT_, .p = f.value, .n = f.value_n}};
    }
}

/* A field of the call wins over one of the context that has the same key. */
static void drop_doubles(struct rw_lg_view *v, unsigned n_context)
{
    unsigned n = 0;
    for (unsigned i = 0; i < v->n_fields; i++) {
        bool twice = false;
        for (unsigned j = n_context; i < n_context && j < v->n_fields && !twice; j++)
            twice = v->fields[i].key_n == v->fields[j].key_n &&
                    memcmp(v->fields[i].key, v->fields[j].key, v->fields[i].key_n) == 0;
        if (!twice)
            v->fields[n++] = v->fields[i];
    }
    v->n_fields = n;
}

static void add_flag(struct rw_lg_view *v, const struct rw_lg_key *key, uint64_t bits)
{
    v->fields[v->n_fields++] = (struct rw_lg_field){
        .key = key->p, .key_n = key->n, .ready = key, .value = {.type = key->type, .bits = bits}};
}

/* Values and the texts behind them. */
struct cursor {
    const char *values, *text, *end;
};

static inline bool take(struct cursor *c, uint8_t type, struct rw_lg_value *ret_value)
{
    uint64_t bits;
    memcpy(&bits, c->values, sizeof(bits));
    c->values += sizeof(bits);
    ret_value->type = type;
    ret_value->bits = bits;
    ret_value->p = NULL;
    ret_value->n = 0;
    if (type < ROLLWAY_T_CSTR_ || bits == RW_LG_NULL) {
        if (type == ROLLWAY_T_FLOAT_) {
            ret_value->type = ROLLWAY_T_DOUBLE_;
            ret_value->bits = rw_lg_float_bits(bits);
        }
        return true;
    }
    if (bits > (uint64_t)(c->end - c->text))
        return false;
    ret_value->p = c->text;
    ret_value->n = (size_t)bits;
    c->text += bits;
    return true;
}

static bool take_all(struct cursor *c, const struct rw_lg_known *known, struct rw_lg_view *v)
{
    unsigned n = known->site->n_fields;
    if (v->n_parts) {
        for (v->n_args = 0; v->n_args < n; v->n_args++)
            if (!take(c, known->types[v->n_args], &v->args[v->n_args]))
                return false;
        return true;
    }
    for (unsigned i = 0; i < n; i++) {
        const struct rw_lg_key *key = &known->keys[i];
        struct rw_lg_field *field = &v->fields[v->n_fields++];
        field->key = key->p;
        field->key_n = key->n;
        field->ready = key;
        if (!take(c, key->type, &field->value))
            return false;
    }
    return true;
}

bool rw_lg_view(struct rw_lg_knowledge *k, const struct rw_lg_entry *e, int64_t time_ns,
                struct rw_lg_view *ret_view)
{
    const struct rw_lg_known *known = rw_lg_know(k, e->site);
    if (!known || e->size > RW_LG_ENTRY_MAX || (e->context & 7))
        return false;
    const struct rw_lg_site *s = known->site;
    bool extra = (e->flags & (RW_LG_SUPPRESSED | RW_LG_SAMPLED)) != 0;
    size_t values_at = sizeof(*e) + e->context;
    size_t text_at = values_at + 8 * ((size_t)s->n_fields + extra);
    if (text_at > e->size)
        return false;
    struct rw_lg_view *v = ret_view;
    const char *p = (const char *)e;
    struct cursor c = {p + values_at, p + text_at, p + e->size};
    v->time_ns = time_ns;
    v->level = (uint8_t)rw_lg_entry_level(e);
    v->message = known->message;
    v->message_n = known->message_n;
    v->file = known->file;
    v->function = known->function;
    v->line = s->line;
    v->thread = e->thread;
    v->known = known;
    v->parts = (const void *)((const char *)s + s->parts_at);
    v->n_parts = s->n_parts;
    v->n_fields = v->n_args = 0;
    find_logger(k->map, e->logger, v);
    if (e->context)
        add_context(v, p + sizeof(*e), e->context);
    unsigned n_context = v->n_fields;
    if (!take_all(&c, known, v))
        return false;
    if (n_context)
        drop_doubles(v, n_context);
    if (extra) {
        uint64_t bits;
        memcpy(&bits, c.values, sizeof(bits));
        add_flag(v, e->flags & RW_LG_SUPPRESSED ? &suppressed : &sample, bits);
    }
    if (e->flags & RW_LG_TRUNCATED)
        add_flag(v, &truncated, 1);
    return true;
}
