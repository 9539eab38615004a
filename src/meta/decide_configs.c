/*
 * AlterConfigs (replaces the settings of a topic or broker as a whole) and IncrementalAlterConfigs (set,
 * delete, append, subtract). Both end in the same place: the settings as they shall be, checked, and
 * compared with what they are; only differences become records.
 */
#include "meta/decide_private.h"

#include "base/same.h"
#include "wire/error.h"

enum { OP_SET = 0, OP_DELETE = 1, OP_APPEND = 2, OP_SUBTRACT = 3 };

/* Whose settings. */
struct target {
    enum rw_meta_setting kind;
    int8_t type;
    struct rw_str name;
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

static int start(const struct target *t, bool keep, size_t room, struct rw_arena *arena,
                 struct settings *ret)
{
    ret->n = keep ? t->n_configs : 0;
    ret->own = rw_arena_array(arena, t->n_configs + room + 1, sizeof(*ret->own));
    if (!ret->own)
        return RW_E_NOMEM;
    if (ret->n)
        memcpy(ret->own, t->configs, ret->n * sizeof(*ret->own));
    return RW_OK;
}

/* Records for the difference between what is and what shall be. */
static int finish(const struct target *t, struct settings *s, const struct rw_meta_policy *policy,
                  bool validate_only, struct rw_meta_records *list, struct rw_str *ret_why)
{
    int rc = policy->check_all(policy->arg, t->kind, s->own, s->n, list->arena, ret_why);
    if (rc || validate_only)
        return rc;
    for (size_t i = 0; i < t->n_configs && rc == RW_OK; i++)
        if (!find(s->own, s->n, t->configs[i].name))
            rc = rw_meta_add_config(list, t->type, t->name, t->configs[i].name, RW_STR_NULL);
    for (size_t i = 0; i < s->n && rc == RW_OK; i++) {
        const struct rw_pair *old = find(t->configs, t->n_configs, s->own[i].name);
        if (!old || !rw_str_eq(old->value, s->own[i].value))
            rc = rw_meta_add_config(list, t->type, t->name, s->own[i].name, s->own[i].value);
    }
    return rc;
}

/* What a failed resource says; RW_E_NOMEM is passed on. */
static int answer(int rc, struct rw_str why, int16_t *error, struct rw_str *message)
{
    if (rc == RW_E_NOMEM)
        return rc;
    if (rc) {
        *error = RW_KERR_INVALID_CONFIG;
        *message = why;
    }
    return RW_OK;
}

static bool topic_target(const struct rw_meta *meta, struct target *t, int16_t *error,
                         struct rw_str *message)
{
    const struct rw_meta_topic *found = rw_meta_topic(meta, t->name);
    if (!found) {
        *error = RW_KERR_UNKNOWN_TOPIC_OR_PARTITION;
        *message = RW_STR_LIT("This topic does not exist");
        return false;
    }
    t->configs = found->configs;
    t->n_configs = found->n_configs;
    return true;
}

static bool broker_target(const struct rw_meta *meta, struct target *t, int16_t *error,
                          struct rw_str *message)
{
    int32_t id;
    if (!rw_meta_broker_name(t->name, &id) ||
        (id != RW_META_ALL_BROKERS && !rw_meta_broker(meta, id))) {
        *error = RW_KERR_INVALID_REQUEST;
        *message = RW_STR_LIT("There is no broker with this id; the empty name means all of them");
        return false;
    }
    const struct rw_meta_broker_configs *found = rw_meta_broker_configs(meta, id);
    t->kind = RW_META_BROKER_SETTING;
    t->configs = found ? found->configs : NULL;
    t->n_configs = found ? found->n_configs : 0;
    return true;
}

/* False: there is no such thing, and error and message say so. */
static bool find_target(const struct rw_meta *meta, int8_t type, struct rw_str name,
                        struct target *ret, int16_t *error, struct rw_str *message)
{
    *ret = (struct target){.kind = RW_META_TOPIC_SETTING, .type = type, .name = name};
    if (type == RW_RESOURCE_TOPIC)
        return topic_target(meta, ret, error, message);
    if (type == RW_RESOURCE_BROKER)
        return broker_target(meta, ret, error, message);
    *error = RW_KERR_INVALID_REQUEST;
    *message = RW_STR_LIT("Only topics and brokers have a configuration that can be changed");
    return false;
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

static void refuse(int16_t *error, struct rw_str *message, const char *why)
{
    *error = RW_KERR_INVALID_REQUEST;
    *message = rw_str(why);
}

/* Both changes would be judged by what is there now, and what they make together by nobody. */
static void refuse_twice(int16_t *error, struct rw_str *message)
{
    refuse(error, message, "the request names this resource twice");
}

static int replace(const struct target *t, const struct rw_meta_policy *policy,
                   const struct rw_alter_configs_request_resource *in, bool validate_only,
                   struct rw_meta_records *list, struct rw_str *ret_why)
{
    struct settings s;
    int rc = start(t, false, (size_t)in->n_configs, list->arena, &s);
    for (int32_t i = 0; i < in->n_configs && rc == RW_OK; i++) {
        struct rw_str value;
        rc = policy->check_value(policy->arg, t->kind, in->configs[i].name, in->configs[i].value,
                                 list->arena, &value, ret_why);
        if (rc == RW_OK)
            put(&s, in->configs[i].name, value);
    }
    return rc ? rc : finish(t, &s, policy, validate_only, list, ret_why);
}

int rw_decide_alter_configs(const struct rw_meta *meta, const struct rw_meta_policy *policy,
                            const struct rw_alter_configs_request *in,
                            struct rw_alter_configs_response *out, struct rw_meta_records *list)
{
    out->responses = rw_arena_array(list->arena, (size_t)in->n_resources, sizeof(*out->responses));
    struct rw_str *keys = rw_arena_array(list->arena, (size_t)in->n_resources, sizeof(*keys));
    int32_t *same;
    if (in->n_resources > 0 && (!out->responses || !keys))
        return RW_E_NOMEM;
    for (int32_t i = 0; i < in->n_resources; i++) {
        keys[i] =
            key_of(in->resources[i].resource_type, in->resources[i].resource_name, list->arena);
        if (keys[i].n < 0)
            return RW_E_NOMEM;
    }
    if (rw_find_same(keys, in->n_resources, list->arena, &same))
        return RW_E_NOMEM;
    for (int32_t i = 0; i < in->n_resources; i++) {
        struct rw_alter_configs_response_resource *r = &out->responses[out->n_responses++];
        rw_alter_configs_response_resource_init(r);
        r->resource_type = in->resources[i].resource_type;
        r->resource_name = in->resources[i].resource_name;
        struct target t;
        bool found = false;
        if (same[i] >= 0)
            refuse_twice(&r->error_code, &r->error_message);
        else
            found = find_target(meta, r->resource_type, r->resource_name, &t, &r->error_code,
                                &r->error_message);
        struct rw_str why = RW_STR_NULL;
        size_t mark = list->n;
        int rc =
            found ? replace(&t, policy, &in->resources[i], in->validate_only, list, &why) : RW_OK;
        if (rc)
            list->n = mark;
        if (answer(rc, why, &r->error_code, &r->error_message))
            return RW_E_NOMEM;
    }
    return RW_OK;
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

static int change_all(const struct target *t, const struct rw_meta_policy *policy,
                      const struct rw_incremental_alter_configs_request_resource *in,
                      bool validate_only, struct rw_meta_records *list, struct rw_str *ret_why)
{
    struct settings s;
    int rc = start(t, true, (size_t)in->n_configs, list->arena, &s);
    for (int32_t i = 0; i < in->n_configs && rc == RW_OK; i++)
        rc = change(&s, t->kind, policy, &in->configs[i], list->arena, ret_why);
    return rc ? rc : finish(t, &s, policy, validate_only, list, ret_why);
}

int rw_decide_incremental_alter_configs(const struct rw_meta *meta,
                                        const struct rw_meta_policy *policy,
                                        const struct rw_incremental_alter_configs_request *in,
                                        struct rw_incremental_alter_configs_response *out,
                                        struct rw_meta_records *list)
{
    out->responses = rw_arena_array(list->arena, (size_t)in->n_resources, sizeof(*out->responses));
    struct rw_str *keys = rw_arena_array(list->arena, (size_t)in->n_resources, sizeof(*keys));
    int32_t *same;
    if (in->n_resources > 0 && (!out->responses || !keys))
        return RW_E_NOMEM;
    for (int32_t i = 0; i < in->n_resources; i++) {
        keys[i] =
            key_of(in->resources[i].resource_type, in->resources[i].resource_name, list->arena);
        if (keys[i].n < 0)
            return RW_E_NOMEM;
    }
    if (rw_find_same(keys, in->n_resources, list->arena, &same))
        return RW_E_NOMEM;
    for (int32_t i = 0; i < in->n_resources; i++) {
        struct rw_incremental_alter_configs_response_resource *r =
            &out->responses[out->n_responses++];
        rw_incremental_alter_configs_response_resource_init(r);
        r->resource_type = in->resources[i].resource_type;
        r->resource_name = in->resources[i].resource_name;
        struct target t;
        bool found = false, twice;
        if (names_twice(&in->resources[i], list->arena, &twice))
            return RW_E_NOMEM;
        if (same[i] >= 0)
            refuse_twice(&r->error_code, &r->error_message);
        else if (twice)
            refuse(&r->error_code, &r->error_message, "the request changes a key twice");
        else
            found = find_target(meta, r->resource_type, r->resource_name, &t, &r->error_code,
                                &r->error_message);
        struct rw_str why = RW_STR_NULL;
        size_t mark = list->n;
        int rc = found ? change_all(&t, policy, &in->resources[i], in->validate_only, list, &why)
                       : RW_OK;
        if (rc)
            list->n = mark;
        if (answer(rc, why, &r->error_code, &r->error_message))
            return RW_E_NOMEM;
    }
    return RW_OK;
}
