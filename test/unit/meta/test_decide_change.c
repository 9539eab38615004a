/* Deletion, settings, producer ids; snapshot and replay give the same image. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "rig.h"

static int setup(void **state)
{
    struct rig *r = malloc(sizeof(*r));
    rig_init(r);
    assert_int_equal(rig_add_broker(r, 1), RW_OK);
    assert_int_equal(rig_create(r, "t", 2, 1), 0);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    rig_deinit(*state);
    free(*state);
    return 0;
}

static int16_t drop(struct rig *r, struct rw_str name, struct rw_uuid id)
{
    struct rw_delete_topics_request in;
    struct rw_delete_topics_request_topic t = {name, id};
    struct rw_delete_topics_response out;
    rw_delete_topics_request_init(&in);
    rw_delete_topics_response_init(&out);
    in.n_topics = 1;
    in.topics = &t;
    assert_int_equal(rw_decide_delete_topics(&r->meta, &r->policy, &in, &out, &r->list), 0);
    assert_int_equal(rig_commit(r), RW_OK);
    assert_int_equal(out.n_responses, 1);
    return out.responses[0].error_code;
}

static void test_delete(void **state)
{
    struct rig *r = *state;
    struct rw_uuid id = rw_meta_topic(&r->meta, RW_STR_LIT("t"))->id, none = {{0}}, other = {{9}};
    assert_int_equal(drop(r, RW_STR_LIT("u"), none), RW_KERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(drop(r, RW_STR_NULL, other), RW_KERR_UNKNOWN_TOPIC_ID);
    assert_int_equal(drop(r, RW_STR_NULL, none), RW_KERR_INVALID_REQUEST);
    assert_int_equal(drop(r, RW_STR_LIT("t"), id), RW_KERR_INVALID_REQUEST);
    r->policy.delete_enabled = false;
    assert_int_equal(drop(r, RW_STR_LIT("t"), none), RW_KERR_TOPIC_DELETION_DISABLED);
    r->policy.delete_enabled = true;
    assert_int_equal(drop(r, RW_STR_NULL, id), 0);
    assert_null(rw_meta_topic(&r->meta, RW_STR_LIT("t")));
    assert_true(rw_meta_was_removed(&r->meta, id));
    assert_int_equal(r->meta.n_partitions, 0);
    assert_int_equal(r->delta.changes[0].kind, RW_META_TOPIC_REMOVED);
    /* Made again, it is another topic (P8). */
    assert_int_equal(rig_create(r, "t", 1, 1), 0);
    assert_false(rw_uuid_eq(rw_meta_topic(&r->meta, RW_STR_LIT("t"))->id, id));
    assert_null(rw_meta_topic_by_id(&r->meta, id));
}

static void test_delete_twice_in_one_request(void **state)
{
    struct rig *r = *state;
    struct rw_str names[] = {RW_STR_LIT("t"), RW_STR_LIT("t")};
    struct rw_delete_topics_request in;
    struct rw_delete_topics_response out;
    rw_delete_topics_request_init(&in);
    rw_delete_topics_response_init(&out);
    in.n_topic_names = 2;
    in.topic_names = names;
    assert_int_equal(rw_decide_delete_topics(&r->meta, &r->policy, &in, &out, &r->list), 0);
    struct rw_meta_topic *t = rw_meta_topic(&r->meta, RW_STR_LIT("t"));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(out.responses[i].error_code, RW_KERR_INVALID_REQUEST);
        assert_true(rw_str_is(out.responses[i].name, "t"));
        /* The answer leaves after the change: nothing of the image may be in it. */
        assert_true(out.responses[i].name.p != t->name);
    }
    assert_int_equal(r->list.n, 0);
    /* Also a topic that may not be deleted may be gone when the answer leaves. */
    r->policy.delete_enabled = false;
    rw_delete_topics_response_init(&out);
    in.n_topic_names = 1;
    assert_int_equal(rw_decide_delete_topics(&r->meta, &r->policy, &in, &out, &r->list), 0);
    assert_int_equal(out.responses[0].error_code, RW_KERR_TOPIC_DELETION_DISABLED);
    assert_true(out.responses[0].name.p != t->name);
}

static int16_t alter_resource(struct rig *r, int8_t type, const char *name, const char *key,
                              int8_t op, const char *value)
{
    struct rw_incremental_alter_configs_request in;
    struct rw_incremental_alter_configs_request_config c = {rw_str(key), op, rw_str(value)};
    struct rw_incremental_alter_configs_request_resource resource = {type, rw_str(name), 1, &c};
    struct rw_incremental_alter_configs_response out;
    rw_incremental_alter_configs_request_init(&in);
    rw_incremental_alter_configs_response_init(&out);
    in.n_resources = 1;
    in.resources = &resource;
    assert_int_equal(rw_decide_incremental_alter_configs(&r->meta, &r->policy, &in, &out, &r->list),
                     0);
    assert_int_equal(rig_commit(r), RW_OK);
    return out.responses[0].error_code;
}

static int16_t alter(struct rig *r, const char *key, int8_t op, const char *value)
{
    return alter_resource(r, 2, "t", key, op, value);
}

/* Each change by itself is fine, and what they make together was seen by nobody. */
static void test_alter_twice_in_one_request(void **state)
{
    struct rig *r = *state;
    struct rw_incremental_alter_configs_request in;
    struct rw_incremental_alter_configs_request_config c = {RW_STR_LIT("k"), 0, RW_STR_LIT("v")};
    struct rw_incremental_alter_configs_request_resource resources[] = {
        {2, RW_STR_LIT("t"), 1, &c}, {4, RW_STR_LIT("1"), 1, &c}, {2, RW_STR_LIT("t"), 1, &c}};
    struct rw_incremental_alter_configs_response out;
    rw_incremental_alter_configs_request_init(&in);
    rw_incremental_alter_configs_response_init(&out);
    in.n_resources = 3;
    in.resources = resources;
    assert_int_equal(rw_decide_incremental_alter_configs(&r->meta, &r->policy, &in, &out, &r->list),
                     0);
    assert_int_equal(out.responses[0].error_code, RW_KERR_INVALID_REQUEST);
    assert_int_equal(out.responses[1].error_code, 0);
    assert_int_equal(out.responses[2].error_code, RW_KERR_INVALID_REQUEST);
    assert_int_equal(r->list.n, 1);
    r->list.n = 0;

    struct rw_alter_configs_request old;
    struct rw_alter_configs_request_config d = {RW_STR_LIT("k"), RW_STR_LIT("v")};
    struct rw_alter_configs_request_resource twice[] = {{2, RW_STR_LIT("t"), 1, &d},
                                                        {2, RW_STR_LIT("t"), 1, &d}};
    struct rw_alter_configs_response old_out;
    rw_alter_configs_request_init(&old);
    rw_alter_configs_response_init(&old_out);
    old.n_resources = 2;
    old.resources = twice;
    assert_int_equal(rw_decide_alter_configs(&r->meta, &r->policy, &old, &old_out, &r->list), 0);
    assert_int_equal(old_out.responses[0].error_code, RW_KERR_INVALID_REQUEST);
    assert_int_equal(old_out.responses[1].error_code, RW_KERR_INVALID_REQUEST);
    assert_int_equal(r->list.n, 0);
}

/* The value that the image has for a broker; NULL: none. */
static const char *of_broker(struct rig *r, int32_t id, const char *key)
{
    const struct rw_meta_broker_configs *b = rw_meta_broker_configs(&r->meta, id);
    for (size_t i = 0; b && i < b->n_configs; i++)
        if (rw_str_is(b->configs[i].name, key))
            return rw_arena_cstr(&r->arena, b->configs[i].value);
    return NULL;
}

static void test_brokers(void **state)
{
    struct rig *r = *state;
    enum { SET, DELETE, APPEND };
    assert_int_equal(alter_resource(r, 4, "", "message.max.bytes", SET, "1000"), 0);
    assert_int_equal(r->delta.changes[0].kind, RW_META_BROKERS_CONFIGURED);
    assert_int_equal(alter_resource(r, 4, "1", "message.max.bytes", SET, "2000"), 0);
    assert_int_equal(alter_resource(r, 4, "1", "cleanup.policy", APPEND, "compact"), 0);
    assert_string_equal(of_broker(r, RW_META_ALL_BROKERS, "message.max.bytes"), "1000");
    assert_string_equal(of_broker(r, 1, "message.max.bytes"), "2000");
    assert_string_equal(of_broker(r, 1, "cleanup.policy"), "delete,compact");
    assert_null(of_broker(r, 2, "message.max.bytes"));
    assert_int_equal(alter_resource(r, 4, "1", "num.partitions", SET, "2"), RW_KERR_INVALID_CONFIG);
    assert_int_equal(alter_resource(r, 4, "1", "x", SET, "contradiction"), RW_KERR_INVALID_CONFIG);
    static const char *const nobody[] = {"99", "-1", "one", "4294967297", "1x"};
    for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++)
        assert_int_equal(alter_resource(r, 4, nobody[i], "message.max.bytes", SET, "1"),
                         RW_KERR_INVALID_REQUEST);
    assert_int_equal(alter_resource(r, 8, "1", "root", SET, "1"), RW_KERR_INVALID_REQUEST);
    assert_int_equal(alter_resource(r, 4, "1", "message.max.bytes", DELETE, NULL), 0);
    assert_null(of_broker(r, 1, "message.max.bytes"));
    assert_string_equal(of_broker(r, RW_META_ALL_BROKERS, "message.max.bytes"), "1000");
}

static void expect(struct rig *r, const char *key, const char *value)
{
    const struct rw_meta_topic *t = rw_meta_topic(&r->meta, RW_STR_LIT("t"));
    for (size_t i = 0; i < t->n_configs; i++)
        if (rw_str_is(t->configs[i].name, key)) {
            assert_non_null(value);
            assert_true(rw_str_is(t->configs[i].value, value));
            return;
        }
    assert_null(value);
}

static void test_incremental(void **state)
{
    struct rig *r = *state;
    enum { SET, DELETE, APPEND, SUBTRACT };
    assert_int_equal(alter(r, "retention.ms", SET, "FIVE"), 0);
    expect(r, "retention.ms", "five");
    assert_int_equal(r->delta.changes[0].kind, RW_META_TOPIC_CONFIGURED);
    assert_int_equal(alter(r, "retention.ms", SET, "five"), 0);
    assert_int_equal(r->delta.n, 0); /* no difference, no record */
    assert_int_equal(alter(r, "retention.ms", SET, "bad"), RW_KERR_INVALID_CONFIG);
    assert_int_equal(alter(r, "retention.ms", SET, "contradiction"), RW_KERR_INVALID_CONFIG);
    assert_int_equal(alter(r, "retention.ms", APPEND, "x"), RW_KERR_INVALID_CONFIG);
    assert_int_equal(alter(r, "retention.ms", 7, "x"), RW_KERR_INVALID_CONFIG);
    expect(r, "retention.ms", "five");
    assert_int_equal(alter(r, "cleanup.policy", APPEND, "compact"), 0);
    expect(r, "cleanup.policy", "delete,compact");
    assert_int_equal(alter(r, "cleanup.policy", APPEND, "compact"), 0);
    expect(r, "cleanup.policy", "delete,compact");
    assert_int_equal(alter(r, "cleanup.policy", SUBTRACT, "delete"), 0);
    expect(r, "cleanup.policy", "compact");
    assert_int_equal(alter(r, "cleanup.policy", DELETE, NULL), 0);
    expect(r, "cleanup.policy", NULL);
    expect(r, "retention.ms", "five");
}

static void test_replace(void **state)
{
    struct rig *r = *state;
    struct rw_alter_configs_request in;
    struct rw_alter_configs_request_config c = {RW_STR_LIT("b"), RW_STR_LIT("2")};
    struct rw_alter_configs_request_resource resources[3] = {
        {2, RW_STR_LIT("t"), 1, &c}, {2, RW_STR_LIT("u"), 1, &c}, {4, RW_STR_LIT("1"), 1, &c}};
    struct rw_alter_configs_response out;
    rw_alter_configs_request_init(&in);
    rw_alter_configs_response_init(&out);
    assert_int_equal(alter(r, "a", 0, "1"), 0);
    in.n_resources = 3;
    in.resources = resources;
    assert_int_equal(rw_decide_alter_configs(&r->meta, &r->policy, &in, &out, &r->list), 0);
    assert_int_equal(rig_commit(r), RW_OK);
    assert_int_equal(out.responses[0].error_code, 0);
    assert_int_equal(out.responses[1].error_code, RW_KERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(out.responses[2].error_code, 0);
    assert_string_equal(of_broker(r, 1, "b"), "2");
    expect(r, "a", NULL);
    expect(r, "b", "2");
}

static void test_producer_ids_are_never_given_twice(void **state)
{
    struct rig *r = *state;
    int64_t first;
    for (int64_t i = 0; i < 5; i++) {
        assert_int_equal(rw_decide_producer_ids(&r->meta, 1, 1000, &first, &r->list), 0);
        assert_int_equal(first, i * 1000);
        assert_int_equal(rig_commit(r), RW_OK);
    }
    assert_int_equal(r->meta.next_producer_id, 5000);
}

static void test_broker_registration(void **state)
{
    struct rig *r = *state;
    assert_int_equal(rw_decide_register_broker(&r->meta, 1, RW_STR_LIT("host"), 9092, RW_STR_NULL,
                                               false, &r->list),
                     0);
    assert_int_equal(r->list.n, 0); /* nothing new */
    assert_int_equal(rw_decide_register_broker(&r->meta, 1, RW_STR_LIT("host"), 9093,
                                               RW_STR_LIT("rack"), false, &r->list),
                     0);
    assert_int_equal(rig_commit(r), RW_OK);
    assert_int_equal(r->meta.n_brokers, 1);
    assert_int_equal(rw_meta_broker(&r->meta, 1)->port, 9093);
    assert_string_equal(rw_meta_broker(&r->meta, 1)->rack, "rack");
    assert_int_equal(rig_add_broker(r, 0), RW_OK);
    assert_int_equal(r->meta.brokers[0].id, 0);
}

static void encode_all(const struct rw_meta *meta, struct rw_buf *out)
{
    struct rw_arena arena;
    rw_arena_init(&arena, 0);
    struct rw_meta_records list = {.arena = &arena};
    assert_int_equal(rw_meta_snapshot(meta, &list), RW_OK);
    for (size_t i = 0; i < list.n; i++)
        assert_int_equal(rw_meta_record_encode(&list.items[i], out), RW_OK);
    rw_arena_deinit(&arena);
}

/* After an unclean stop: one record, and everything that the broker leads has a new leader epoch. */
static void test_new_epochs(void **state)
{
    struct rig *r = *state;
    struct rw_meta_topic *t = rw_meta_topic(&r->meta, RW_STR_LIT("t"));
    assert_int_equal(rig_add_broker(r, 2), RW_OK);
    for (int32_t n = 1; n < 4; n++) {
        int32_t id = n < 3 ? 1 : 2; /* 2 leads nothing */
        int32_t wanted = n < 3 ? n : 2;
        assert_int_equal(rw_decide_register_broker(&r->meta, id, RW_STR_LIT("host"), 9092,
                                                   RW_STR_NULL, true, &r->list),
                         RW_OK);
        assert_int_equal(r->list.n, 1);
        assert_int_equal(rig_commit(r), RW_OK);
        for (int32_t i = 0; i < t->n_partitions; i++) {
            assert_int_equal(t->partitions[i].leader_epoch, wanted);
            assert_int_equal(t->partitions[i].partition_epoch, wanted);
            assert_int_equal(t->partitions[i].leader, 1);
            assert_int_equal(t->partitions[i].n_isr, 1);
            assert_int_equal(t->partitions[i].n_replicas, 1);
        }
    }
    /* Another address alone is no reason for that. */
    assert_int_equal(rw_decide_register_broker(&r->meta, 1, RW_STR_LIT("moved"), 9092, RW_STR_NULL,
                                               false, &r->list),
                     RW_OK);
    assert_int_equal(rig_commit(r), RW_OK);
    assert_int_equal(t->partitions[0].leader_epoch, 2);
    assert_int_equal(rw_meta_broker(&r->meta, 1)->epoch, 2);
}

/* Ids of removed topics live on in snapshots until their directories are gone. */
static void test_removed_topics(void **state)
{
    struct rig *r = *state;
    struct rw_uuid none = {{0}};
    struct rig copy;
    rig_init(&copy);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rig_create(r, "gone", 1, 1), 0);
        assert_int_equal(drop(r, RW_STR_LIT("gone"), none), 0);
    }
    assert_int_equal(r->meta.n_removed, 3);
    assert_int_equal(rw_meta_snapshot(&r->meta, &copy.list), RW_OK);
    assert_int_equal(rig_commit(&copy), RW_OK);
    assert_int_equal(copy.meta.n_removed, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(rw_meta_was_removed(&copy.meta, r->meta.removed[i]));
    rw_meta_forget_removed(&copy.meta, 1);
    assert_int_equal(copy.meta.n_removed, 1);
    assert_true(rw_meta_was_removed(&copy.meta, r->meta.removed[0]));
    rw_meta_forget_removed(&copy.meta, 0);
    assert_false(rw_meta_was_removed(&copy.meta, r->meta.removed[0]));
    rig_deinit(&copy);
}

/* A random history; the snapshot, applied to an empty image, gives the same snapshot. */
static void test_snapshot_equals_history(void **state)
{
    struct rig *r = *state;
    uint64_t x = 42;
    for (int i = 0; i < 120; i++) {
        char name[8];
        x = x * 6364136223846793005u + 1442695040888963407u;
        (void)snprintf(name, sizeof(name), "n%d", (int)(x >> 33) % 12);
        struct rw_uuid none = {{0}};
        if ((x >> 50) % 3 == 0)
            (void)drop(r, rw_str(name), none);
        else
            (void)rig_create(r, name, 1 + (int32_t)(x >> 40) % 4, 1);
        (void)alter(r, (x >> 45) & 1 ? "k1" : "k2", (x >> 46) & 1, name);
        (void)alter_resource(r, 4, (x >> 48) & 1 ? "" : "1", (x >> 45) & 1 ? "k1" : "k2",
                             (x >> 46) & 1, name);
    }
    struct rw_buf live, replayed;
    struct rig copy;
    rw_buf_init(&live);
    rw_buf_init(&replayed);
    rig_init(&copy);
    encode_all(&r->meta, &live);
    assert_int_equal(rw_meta_snapshot(&r->meta, &copy.list), RW_OK);
    assert_int_equal(rig_commit(&copy), RW_OK);
    encode_all(&copy.meta, &replayed);
    assert_int_equal(live.n, replayed.n);
    assert_memory_equal(live.p, replayed.p, live.n);
    rig_deinit(&copy);
    rw_buf_deinit(&live);
    rw_buf_deinit(&replayed);
}

static void test_damaged_records_are_errors(void **state)
{
    struct rig *r = *state;
    struct rw_buf bytes;
    struct rw_meta_record record;
    rw_buf_init(&bytes);
    assert_int_equal(rw_meta_snapshot(&r->meta, &r->list), RW_OK);
    assert_int_equal(rw_meta_record_encode(&r->list.items[1], &bytes), RW_OK);
    for (size_t n = 0; n < bytes.n; n++)
        assert_int_not_equal(rw_meta_record_decode(rw_slice(bytes.p, n), &r->arena, &record), 0);
    rw_buf_add_u8(&bytes, 0);
    assert_int_equal(rw_meta_record_decode(rw_slice(bytes.p, bytes.n), &r->arena, &record),
                     RW_E_CORRUPT);
    bytes.p[0] = 9;
    assert_int_equal(rw_meta_record_decode(rw_slice(bytes.p, bytes.n), &r->arena, &record),
                     RW_E_UNSUPPORTED);
    rw_buf_deinit(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_delete, setup, teardown),
        cmocka_unit_test_setup_teardown(test_delete_twice_in_one_request, setup, teardown),
        cmocka_unit_test_setup_teardown(test_alter_twice_in_one_request, setup, teardown),
        cmocka_unit_test_setup_teardown(test_incremental, setup, teardown),
        cmocka_unit_test_setup_teardown(test_brokers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_producer_ids_are_never_given_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broker_registration, setup, teardown),
        cmocka_unit_test_setup_teardown(test_new_epochs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_removed_topics, setup, teardown),
        cmocka_unit_test_setup_teardown(test_snapshot_equals_history, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged_records_are_errors, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
