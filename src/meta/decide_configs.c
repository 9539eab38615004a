/*
 * AlterConfigs (replaces the settings of a topic or broker as a whole) and IncrementalAlterConfigs (set,
 * delete, append, subtract). Both end in the same place: the settings as they shall be, checked, and
 * compared with what they are; only differences become records.
 */
#include "meta/decide_private.h"

#include "base/same.h"
#include "wire/error.h"

enum { OP_SET = 0, OP_DELETE = 1, OP_APPEND = 2, OP_SUBTRACT = 3 };

/* A resource of a request: whose settings, and what is answered. The two requests differ in what they ask
 * of it. */
struct row {
    int8_t type;
    struct rw_str name;
    int16_t *error; /* 0: nothing is wrong so far */
    struct rw_str *message;
    enum rw_meta_setting kind;
    const struct rw_pair *configs; /* as they are */
    size_t n_configs;
};

struct settings {
    struct rw_pair *own; /* room for all there are and all that come */
    size_t n;
};

static const struct rw_pair *find(const struct rw_pair *pairs, size_t n, struct rw_str name)
{
    for (size_t i = 0; i < n; i++)
        if (rw_str_eq(pairs[i].name, name))
            return &pairs[i];
    return NULL;
}

static void put(struct settings *s, struct rw_str name, struct rw_str value)
{
    const struct rw_pair *p = find(s->own, s->n, name);
    s->own[p ? (size_t)(p - s->own) : s->n++] = (struct rw_pair){name, value};
}

static void drop(struct settings *s, struct rw_str name)
{
    const struct rw_pair *p = find(s->own, s->n, name);
    if (p)
        s->own[p - s->own] = s->own[--s->n];
}

static void refuse(struct row *row, int16_t error, const char *why)
{
    *row->error = error;
    *row->message = rw_str(why);
}

static int start(const struct row *row, bool keep, size_t room, struct rw_arena *arena,
                 struct settings *ret)
{
    ret->n = keep ? row->n_configs : 0;
    ret->own = rw_arena_array(arena, row->n_configs + room + 1, sizeof(*ret->own));
    if (!ret->own)
        return RW_E_NOMEM;
    if (ret->n)
        memcpy(ret->own, row->configs, ret->n * sizeof(*ret->own));
    return RW_OK;
}

/* Records for the difference between what is and what shall be. */
static int add_difference(const struct row *row, const struct settings *s,
                          struct rw_meta_records *list)
{
    int rc = RW_OK;
    for (size_t i = 0; i < row->n_configs && rc == RW_OK; i++)
        if (!find(s->own, s->n, row->configs[i].name))
            rc = rw_meta_add_config(list, row->type, row->name, row->configs[i].name, RW_STR_NULL);
    for (size_t i = 0; i < s->n && rc == RW_OK; i++) {
        const struct rw_pair *old = find(row->configs, row->n_configs, s->own[i].name);
        if (!old || !rw_str_eq(old->value, s->own[i].value))
            rc = rw_meta_add_config(list, row->type, row->name, s->own[i].name, s->own[i].value);
    }
    return rc;
}

/* rc, why: what was wrong so far. Either all of the row's records are added, or none and the row says why;
 * RW_E_NOMEM is passed on. */
static int finish(struct row *row, int rc, struct rw_str why, const struct settings *s,
                  const struct rw_meta_policy *policy, bool validate_only,
                  struct rw_meta_records *list)
{
    const size_t mark = list->n;
    if (rc == RW_OK)
        rc = policy->check_all(policy->arg, row->kind, s->own, s->n, list->arena, &why);
    if (rc == RW_OK && !validate_only)
        rc = add_difference(row, s, list);
    if (rc == RW_OK)
        return RW_OK;
    list->n = mark;
    if (rc == RW_E_NOMEM)
        return rc;
    *row->error = RW_KERR_INVALID_CONFIG;
    *row->message = why;
    return RW_OK;
}

static void find_topic(const struct rw_meta *meta, struct row *row)
{
    const struct rw_meta_topic *found = rw_meta_topic(meta, row->name);
    if (!found) {
        refuse(row, RW_KERR_UNKNOWN_TOPIC_OR_PARTITION, "This topic does not exist");
        return;
    }
    row->kind = RW_META_TOPIC_SETTING;
    row->configs = found->configs;
    row->n_configs = found->n_configs;
}

static void find_broker(const struct rw_meta *meta, struct row *row)
{
    int32_t id;
    if (!rw_meta_broker_name(row->name, &id) ||
        (id != RW_META_ALL_BROKERS && !rw_meta_broker(meta, id))) {
        refuse(row, RW_KERR_INVALID_REQUEST,
               "There is no broker with this id; the empty name means all of them");
        return;
    }
    const struct rw_meta_broker_configs *found = rw_meta_broker_configs(meta, id);
    row->kind = RW_META_BROKER_SETTING;
    row->configs = found ? found->configs : NULL;
    row->n_configs = found ? found->n_configs : 0;
}

/* What tells resources apart, as one text. */
static struct rw_str key_of(int8_t type, struct rw_str name, struct rw_arena *arena)
{
    int32_t n = name.n > 0 ? name.n : 0;
    char *p = rw_arena_alloc(arena, (size_t)n + 1);
    if (!p)
        return RW_STR_NULL;
    p[0] = (char)type;
    if (n)
        memcpy(p + 1, name.p, (size_t)n);
    return (struct rw_str){p, n + 1};
}

/* Finds what the rows mean, where nothing is wrong with them yet. */
static int find_all(const struct rw_meta *meta, struct row *rows, int32_t n, struct rw_arena *arena)
{
    struct rw_str *keys = rw_arena_array(arena, (size_t)n + 1, sizeof(*keys));
    int32_t *same;
    if (!keys)
        return RW_E_NOMEM;
    for (int32_t i = 0; i < n; i++) {
        keys[i] = key_of(rows[i].type, rows[i].name, arena);
        if (keys[i].n < 0)
            return RW_E_NOMEM;
    }
    if (rw_find_same(keys, n, arena, &same))
        return RW_E_NOMEM;
    for (int32_t i = 0; i < n; i++) {
        if (same[i] >= 0)
            /* Both would be judged by what is there now, and what they make together by nobody. */
            refuse(&rows[i], RW_KERR_INVALID_REQUEST, "the request names this resource twice");
        else if (*rows[i].error)
            continue;
        else if (rows[i].type == RW_RESOURCE_TOPIC)
            find_topic(meta, &rows[i]);
        else if (rows[i].type == RW_RESOURCE_BROKER)
            find_broker(meta, &rows[i]);
        else
            refuse(&rows[i], RW_KERR_INVALID_REQUEST,
                   "Only topics and brokers have a configuration that can be changed");
    }
    return RW_OK;
}

static int replace(struct row *row, const struct rw_meta_policy *policy,
                   const struct rw_alter_configs_request_resource *in, bool validate_only,
                   struct rw_meta_records *list)
{
    struct settings s;
    struct rw_str why = RW_STR_NULL;
    int rc = start(row, false, (size_t)in->n_configs, list->arena, &s);
    for (int32_t i = 0; i < in->n_configs && rc == RW_OK; i++) {
        struct rw_str value;
        rc = policy->check_value(policy->arg, row->kind, in->configs[i].name, in->configs[i].value,
                                 list->arena, &value, &why);
        if (rc == RW_OK)
            put(&s, in->configs[i].name, value);
    }
    return finish(row, rc, why, &s, policy, validate_only, list);
}

int rw_alter_configs_begin(const struct rw_alter_configs_request *in, struct rw_arena *arena,
                           struct rw_alter_configs_response *out)
{
    out->responses = rw_arena_array(arena, (size_t)in->n_resources + 1, sizeof(*out->responses));
    if (!out->responses)
        return RW_E_NOMEM;
    out->n_responses = in->n_resources;
    for (int32_t i = 0; i < in->n_resources; i++) {
        rw_alter_configs_response_resource_init(&out->responses[i]);
        out->responses[i].resource_type = in->resources[i].resource_type;
        out->responses[i].resource_name = in->resources[i].resource_name;
    }
    return RW_OK;
}

int rw_decide_alter_configs(const struct rw_meta *meta, const struct rw_meta_policy *policy,
                            const struct rw_alter_configs_request *in,
                            struct rw_alter_configs_response *out, struct rw_meta_records *list)
{
    const int32_t n = in->n_resources;
    struct row *rows = rw_arena_array(list->arena, (size_t)n + 1, sizeof(*rows));
    if (!rows || rw_alter_configs_begin(in, list->arena, out))
        return RW_E_NOMEM;
    for (int32_t i = 0; i < n; i++) {
        struct rw_alter_configs_response_resource *r = &out->responses[i];
        rows[i] = (struct row){.type = r->resource_type,
                               .name = r->resource_name,
                               .error = &r->error_code,
                               .message = &r->error_message};
    }
    int rc = find_all(meta, rows, n, list->arena);
    for (int32_t i = 0; i < n && rc == RW_OK; i++)
        if (!*rows[i].error)
            rc = replace(&rows[i], policy, &in->resources[i], in->validate_only, list);
    return rc;
}

static bool list_has(struct rw_str list, struct rw_str item)
{
    while (list.n > 0) {
        const char *comma = memchr(list.p, ',', (size_t)list.n);
        struct rw_str one = {list.p, comma ? (int32_t)(comma - list.p) : list.n};
        if (rw_str_eq(one, item))
            return true;
        list = comma ? (struct rw_str){comma + 1, list.n - one.n - 1} : (struct rw_str){list.p, 0};
    }
    return false;
}

/* The elements of a that are (not) in b, then, when adding, those of b that are not in a. */
static struct rw_str merge(struct rw_arena *arena, struct rw_str a, struct rw_str b, bool add)
{
    char *p = rw_arena_alloc(arena, (size_t)a.n + (size_t)b.n + 2);
    int32_t n = 0;
    if (!p)
        return RW_STR_NULL;
    for (int pass = 0; pass < (add ? 2 : 1); pass++) {
        struct rw_str rest = pass ? b : a, other = pass ? a : b;
        while (rest.n > 0) {
            const char *comma = memchr(rest.p, ',', (size_t)rest.n);
            struct rw_str one = {rest.p, comma ? (int32_t)(comma - rest.p) : rest.n};
            rest =
                comma ? (struct rw_str){comma + 1, rest.n - one.n - 1} : (struct rw_str){rest.p, 0};
            bool keep = pass == 0 ? add || !list_has(other, one) : !list_has(other, one);
            if (!keep || one.n == 0)
                continue;
            if (n)
                p[n++] = ',';
            memcpy(p + n, one.p, (size_t)one.n);
            n += one.n;
        }
    }
    return (struct rw_str){p, n};
}

static int change(struct settings *s, enum rw_meta_setting kind,
                  const struct rw_meta_policy *policy,
                  const struct rw_incremental_alter_configs_request_config *c,
                  struct rw_arena *arena, struct rw_str *ret_why)
{
    struct rw_str value = c->value, inherited, checked;
    if (c->config_operation == OP_DELETE) {
        drop(s, c->name);
        return RW_OK;
    }
    if (c->config_operation == OP_APPEND || c->config_operation == OP_SUBTRACT) {
        if (!policy->is_list(policy->arg, kind, c->name, &inherited)) {
            *ret_why = RW_STR_LIT("append and subtract are for keys whose value is a list");
            return RW_E_INVAL;
        }
        const struct rw_pair *old = find(s->own, s->n, c->name);
        value =
            merge(arena, old ? old->value : inherited, value.n < 0 ? (struct rw_str){"", 0} : value,
                  c->config_operation == OP_APPEND);
        if (value.n < 0)
            return RW_E_NOMEM;
    } else if (c->config_operation != OP_SET) {
        *ret_why = RW_STR_LIT("unknown operation: 0 set, 1 delete, 2 append, 3 subtract");
        return RW_E_INVAL;
    }
    int rc = policy->check_value(policy->arg, kind, c->name, value, arena, &checked, ret_why);
    if (rc == RW_OK)
        put(s, c->name, checked);
    return rc;
}

/* A key that is named twice has no order that both sides agree on. */
static int names_twice(const struct rw_incremental_alter_configs_request_resource *in,
                       struct rw_arena *arena, bool *ret_twice)
{
    struct rw_str *names = rw_arena_array(arena, (size_t)in->n_configs + 1, sizeof(*names));
    int32_t *same;
    for (int32_t i = 0; names && i < in->n_configs; i++)
        names[i] = in->configs[i].name;
    if (!names || rw_find_same(names, in->n_configs, arena, &same))
        return RW_E_NOMEM;
    *ret_twice = false;
    for (int32_t i = 0; i < in->n_configs; i++)
        *ret_twice |= same[i] >= 0;
    return RW_OK;
}

static int change_all(struct row *row, const struct rw_meta_policy *policy,
                      const struct rw_incremental_alter_configs_request_resource *in,
                      bool validate_only, struct rw_meta_records *list)
{
    struct settings s;
    struct rw_str why = RW_STR_NULL;
    int rc = start(row, true, (size_t)in->n_configs, list->arena, &s);
    for (int32_t i = 0; i < in->n_configs && rc == RW_OK; i++)
        rc = change(&s, row->kind, policy, &in->configs[i], list->arena, &why);
    return finish(row, rc, why, &s, policy, validate_only, list);
}

int rw_incremental_alter_configs_begin(const struct rw_incremental_alter_configs_request *in,
                                       struct rw_arena *arena,
                                       struct rw_incremental_alter_configs_response *out)
{
    out->responses = rw_arena_array(arena, (size_t)in->n_resources + 1, sizeof(*out->responses));
    if (!out->responses)
        return RW_E_NOMEM;
    out->n_responses = in->n_resources;
    for (int32_t i = 0; i < in->n_resources; i++) {
        rw_incremental_alter_configs_response_resource_init(&out->responses[i]);
        out->responses[i].resource_type = in->resources[i].resource_type;
        out->responses[i].resource_name = in->resources[i].resource_name;
    }
    return RW_OK;
}

int rw_decide_incremental_alter_configs(const struct rw_meta *meta,
                                        const struct rw_meta_policy *policy,
                                        const struct rw_incremental_alter_configs_request *in,
                                        struct rw_incremental_alter_configs_response *out,
                                        struct rw_meta_records *list)
{
    const int32_t n = in->n_resources;
    struct row *rows = rw_arena_array(list->arena, (size_t)n + 1, sizeof(*rows));
    if (!rows || rw_incremental_alter_configs_begin(in, list->arena, out))
        return RW_E_NOMEM;
    for (int32_t i = 0; i < n; i++) {
        struct rw_incremental_alter_configs_response_resource *r = &out->responses[i];
        bool twice;
        rows[i] = (struct row){.type = r->resource_type,
                               .name = r->resource_name,
                               .error = &r->error_code,
                               .message = &r->error_message};
        if (names_twice(&in->resources[i], list->arena, &twice))
            return RW_E_NOMEM;
        if (twice)
            refuse(&rows[i], RW_KERR_INVALID_REQUEST, "the request changes a key twice");
    }
    int rc = find_all(meta, rows, n, list->arena);
    for (int32_t i = 0; i < n && rc == RW_OK; i++)
        if (!*rows[i].error)
            rc = change_all(&rows[i], policy, &in->resources[i], in->validate_only, list);
    return rc;
}
