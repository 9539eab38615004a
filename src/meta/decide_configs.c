/*
 * AlterConfigs (replaces a topic's settings as a whole) and IncrementalAlterConfigs (set, delete,
 * append, subtract). Both end in the same place: the topic's settings as they shall be, checked, and
 * compared with what they are; only differences become records.
 */
#include "meta/decide_private.h"

#include "wire/error.h"

enum { OP_SET = 0, OP_DELETE = 1, OP_APPEND = 2, OP_SUBTRACT = 3 };

struct settings {
    struct rw_pair *own; /* room for all there are and all that come */
    size_t n;
};

static struct rw_pair *find(struct settings *s, struct rw_str name)
{
    for (size_t i = 0; i < s->n; i++)
        if (rw_str_eq(s->own[i].name, name))
            return &s->own[i];
    return NULL;
}

static void put(struct settings *s, struct rw_str name, struct rw_str value)
{
    struct rw_pair *p = find(s, name);
    if (p)
        p->value = value;
    else
        s->own[s->n++] = (struct rw_pair){name, value};
}

static void drop(struct settings *s, struct rw_str name)
{
    struct rw_pair *p = find(s, name);
    if (p)
        *p = s->own[--s->n];
}

static int start(const struct rw_meta_topic *t, bool keep, size_t room, struct rw_arena *arena,
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
static int finish(const struct rw_meta_topic *t, struct settings *s,
                  const struct rw_meta_policy *policy, bool validate_only,
                  struct rw_meta_records *list, struct rw_str *ret_why)
{
    int rc = policy->check_all(policy->arg, s->own, s->n, list->arena, ret_why);
    if (rc || validate_only)
        return rc;
    struct rw_str topic = rw_arena_str(list->arena, t->name);
    for (size_t i = 0; i < t->n_configs && rc == RW_OK; i++)
        if (!find(s, t->configs[i].name))
            rc = rw_meta_add_config(list, topic, t->configs[i].name, RW_STR_NULL);
    struct settings before = {t->configs, t->n_configs};
    for (size_t i = 0; i < s->n && rc == RW_OK; i++) {
        const struct rw_pair *old = find(&before, s->own[i].name);
        if (!old || !rw_str_eq(old->value, s->own[i].value))
            rc = rw_meta_add_config(list, topic, s->own[i].name, s->own[i].value);
    }
    return topic.n < 0 ? RW_E_NOMEM : rc;
}

/* What a failed topic says; RW_E_NOMEM is passed on. */
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

static const struct rw_meta_topic *resource_topic(const struct rw_meta *meta, int8_t type,
                                                  struct rw_str name, int16_t *error,
                                                  struct rw_str *message)
{
    if (type != RW_RESOURCE_TOPIC) {
        *error = RW_KERR_INVALID_REQUEST;
        *message =
            RW_STR_LIT("Only the configuration of topics can be changed while the broker runs");
        return NULL;
    }
    const struct rw_meta_topic *t = rw_meta_topic(meta, name);
    if (!t) {
        *error = RW_KERR_UNKNOWN_TOPIC_OR_PARTITION;
        *message = RW_STR_LIT("This topic does not exist");
    }
    return t;
}

static int replace(const struct rw_meta_topic *t, const struct rw_meta_policy *policy,
                   const struct rw_alter_configs_request_resource *in, bool validate_only,
                   struct rw_meta_records *list, struct rw_str *ret_why)
{
    struct settings s;
    int rc = start(t, false, (size_t)in->n_configs, list->arena, &s);
    for (int32_t i = 0; i < in->n_configs && rc == RW_OK; i++) {
        struct rw_str value;
        rc = policy->check_value(policy->arg, in->configs[i].name, in->configs[i].value,
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
    if (!out->responses && in->n_resources > 0)
        return RW_E_NOMEM;
    for (int32_t i = 0; i < in->n_resources; i++) {
        struct rw_alter_configs_response_resource *r = &out->responses[out->n_responses++];
        rw_alter_configs_response_resource_init(r);
        r->resource_type = in->resources[i].resource_type;
        r->resource_name = in->resources[i].resource_name;
        const struct rw_meta_topic *t = resource_topic(meta, r->resource_type, r->resource_name,
                                                       &r->error_code, &r->error_message);
        struct rw_str why = RW_STR_NULL;
        size_t mark = list->n;
        int rc = t ? replace(t, policy, &in->resources[i], in->validate_only, list, &why) : RW_OK;
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

static int change(struct settings *s, const struct rw_meta_policy *policy,
                  const struct rw_incremental_alter_configs_request_config *c,
                  struct rw_arena *arena, struct rw_str *ret_why)
{
    struct rw_str value = c->value, inherited, checked;
    if (c->config_operation == OP_DELETE) {
        drop(s, c->name);
        return RW_OK;
    }
    if (c->config_operation == OP_APPEND || c->config_operation == OP_SUBTRACT) {
        if (!policy->is_list(policy->arg, c->name, &inherited)) {
            *ret_why = RW_STR_LIT("append and subtract are for keys whose value is a list");
            return RW_E_INVAL;
        }
        const struct rw_pair *old = find(s, c->name);
        value =
            merge(arena, old ? old->value : inherited, value.n < 0 ? (struct rw_str){"", 0} : value,
                  c->config_operation == OP_APPEND);
        if (value.n < 0)
            return RW_E_NOMEM;
    } else if (c->config_operation != OP_SET) {
        *ret_why = RW_STR_LIT("unknown operation: 0 set, 1 delete, 2 append, 3 subtract");
        return RW_E_INVAL;
    }
    int rc = policy->check_value(policy->arg, c->name, value, arena, &checked, ret_why);
    if (rc == RW_OK)
        put(s, c->name, checked);
    return rc;
}

static int change_all(const struct rw_meta_topic *t, const struct rw_meta_policy *policy,
                      const struct rw_incremental_alter_configs_request_resource *in,
                      bool validate_only, struct rw_meta_records *list, struct rw_str *ret_why)
{
    struct settings s;
    int rc = start(t, true, (size_t)in->n_configs, list->arena, &s);
    for (int32_t i = 0; i < in->n_configs && rc == RW_OK; i++)
        rc = change(&s, policy, &in->configs[i], list->arena, ret_why);
    return rc ? rc : finish(t, &s, policy, validate_only, list, ret_why);
}

int rw_decide_incremental_alter_configs(const struct rw_meta *meta,
                                        const struct rw_meta_policy *policy,
                                        const struct rw_incremental_alter_configs_request *in,
                                        struct rw_incremental_alter_configs_response *out,
                                        struct rw_meta_records *list)
{
    out->responses = rw_arena_array(list->arena, (size_t)in->n_resources, sizeof(*out->responses));
    if (!out->responses && in->n_resources > 0)
        return RW_E_NOMEM;
    for (int32_t i = 0; i < in->n_resources; i++) {
        struct rw_incremental_alter_configs_response_resource *r =
            &out->responses[out->n_responses++];
        rw_incremental_alter_configs_response_resource_init(r);
        r->resource_type = in->resources[i].resource_type;
        r->resource_name = in->resources[i].resource_name;
        const struct rw_meta_topic *t = resource_topic(meta, r->resource_type, r->resource_name,
                                                       &r->error_code, &r->error_message);
        struct rw_str why = RW_STR_NULL;
        size_t mark = list->n;
        int rc =
            t ? change_all(t, policy, &in->resources[i], in->validate_only, list, &why) : RW_OK;
        if (rc)
            list->n = mark;
        if (answer(rc, why, &r->error_code, &r->error_message))
            return RW_E_NOMEM;
    }
    return RW_OK;
}
