/* A small cluster's metadata for tests: an image, a policy, and "decide, then apply" in one call. */
#pragma once

#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "meta/decide.h"
#include "wire/error.h"

struct rig {
    struct rw_meta meta;
    struct rw_arena arena;
    struct rw_meta_policy policy;
    int64_t room; /* descriptors are there for so many partitions */
    struct rw_meta_records list;
    struct rw_meta_delta delta;
    uint32_t next_id;
};

static struct rw_uuid rig_id(void *arg)
{
    struct rig *r = arg;
    struct rw_uuid u = {{0}};
    r->next_id++;
    u.b[0] = (uint8_t)r->next_id;
    u.b[1] = (uint8_t)(r->next_id >> 8);
    u.b[2] = (uint8_t)(r->next_id >> 16);
    u.b[15] = 7;
    return u;
}

/* "bad*" names do not exist; the value "bad" is never right; upper case becomes lower. */
static int rig_check_value(void *arg, enum rw_meta_setting kind, struct rw_str name,
                           struct rw_str value, struct rw_arena *arena, struct rw_str *ret_value,
                           struct rw_str *ret_why)
{
    (void)arg;
    if (kind == RW_META_BROKER_SETTING && rw_str_is(name, "num.partitions")) {
        *ret_why = RW_STR_LIT("not while it runs");
        return RW_E_INVAL;
    }
    if (value.n < 0 || (name.n >= 3 && memcmp(name.p, "bad", 3) == 0) || rw_str_is(value, "bad")) {
        *ret_why = RW_STR_LIT("bad");
        return RW_E_INVAL;
    }
    char *p = rw_arena_cstr(arena, value);
    if (!p)
        return RW_E_NOMEM;
    for (char *c = p; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 'a' - 'A');
    *ret_value = rw_str(p);
    return RW_OK;
}

static int rig_check_all(void *arg, enum rw_meta_setting kind, const struct rw_pair *own,
                         size_t n_own, struct rw_arena *arena, struct rw_str *ret_why)
{
    (void)arg;
    (void)kind;
    (void)arena;
    for (size_t i = 0; i < n_own; i++)
        if (rw_str_is(own[i].value, "contradiction")) {
            *ret_why = RW_STR_LIT("contradiction");
            return RW_E_INVAL;
        }
    return RW_OK;
}

static bool rig_is_list(void *arg, enum rw_meta_setting kind, struct rw_str name,
                        struct rw_str *ret_value)
{
    (void)arg;
    (void)kind;
    *ret_value = RW_STR_LIT("delete");
    return rw_str_is(name, "cleanup.policy");
}

static inline int64_t rig_partitions_room(void *arg)
{
    return ((struct rig *)arg)->room;
}

static inline void rig_init(struct rig *r)
{
    *r = (struct rig){.room = INT64_MAX};
    rw_meta_init(&r->meta);
    rw_arena_init(&r->arena, 0);
    r->list.arena = &r->arena;
    r->policy = (struct rw_meta_policy){.default_partitions = 3,
                                        .default_replication = 3,
                                        .request_partitions_max = 100,
                                        .partitions_max = 150,
                                        .delete_enabled = true,
                                        .arg = r,
                                        .partitions_room = rig_partitions_room,
                                        .new_id = rig_id,
                                        .check_value = rig_check_value,
                                        .check_all = rig_check_all,
                                        .is_list = rig_is_list};
}

static inline void rig_deinit(struct rig *r)
{
    rw_meta_delta_deinit(&r->delta);
    rw_meta_deinit(&r->meta);
    rw_arena_deinit(&r->arena);
}

/* Commits what was decided: through the stored form, as the broker does. */
static inline int rig_commit(struct rig *r)
{
    int rc = RW_OK;
    r->delta.n = 0;
    for (size_t i = 0; i < r->list.n && rc == RW_OK; i++) {
        struct rw_buf bytes;
        struct rw_meta_record record;
        rw_buf_init(&bytes);
        rc = rw_meta_record_encode(&r->list.items[i], &bytes);
        if (rc == RW_OK)
            rc = rw_meta_record_decode(rw_slice(bytes.p, bytes.n), &r->arena, &record);
        if (rc == RW_OK)
            rc = rw_meta_apply(&r->meta, record.type, record.m, &r->delta);
        rw_buf_deinit(&bytes);
    }
    r->list.n = 0;
    return rc;
}

static inline int rig_add_broker(struct rig *r, int32_t id)
{
    int rc = rw_decide_register_broker(&r->meta, id, RW_STR_LIT("host"), 9092, RW_STR_NULL, false,
                                       &r->list);
    return rc ? rc : rig_commit(r);
}

/* Creates one topic with the defaults of the request given; the error. */
static inline int16_t rig_create(struct rig *r, const char *name, int32_t partitions,
                                 int16_t replication)
{
    struct rw_create_topics_request in;
    struct rw_create_topics_request_topic t;
    struct rw_create_topics_response out;
    rw_create_topics_request_init(&in);
    rw_create_topics_request_topic_init(&t);
    rw_create_topics_response_init(&out);
    t.name = rw_str(name);
    t.num_partitions = partitions;
    t.replication_factor = replication;
    in.n_topics = 1;
    in.topics = &t;
    if (rw_decide_create_topics(&r->meta, &r->policy, &in, &out, &r->list) || rig_commit(r))
        return -1;
    return out.topics[0].error_code;
}
