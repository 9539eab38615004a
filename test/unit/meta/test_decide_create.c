/* CreateTopics and CreatePartitions: every rule, by its Kafka error. */
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
    for (int32_t id = 1; id <= 2; id++)
        assert_int_equal(rig_add_broker(r, id), RW_OK);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    rig_deinit(*state);
    free(*state);
    return 0;
}

static void test_defaults(void **state)
{
    struct rig *r = *state;
    assert_int_equal(rig_create(r, "logs", -1, -1), 0);
    const struct rw_meta_topic *t = rw_meta_topic(&r->meta, RW_STR_LIT("logs"));
    assert_non_null(t);
    assert_int_equal(t->n_partitions, 3);
    /* The default replication factor is 3, but there are two brokers. */
    assert_int_equal(t->partitions[0].n_replicas, 2);
    assert_int_not_equal(t->partitions[0].replicas[0], t->partitions[0].replicas[1]);
    /* Leaders alternate. */
    assert_int_not_equal(t->partitions[0].leader, t->partitions[1].leader);
    assert_int_equal(t->partitions[0].leader_epoch, 0);
    assert_ptr_equal(rw_meta_topic_by_id(&r->meta, t->id), t);
    assert_int_equal(r->meta.n_partitions, 3);
    assert_int_equal(r->delta.n, 4);
    assert_int_equal(r->delta.changes[0].kind, RW_META_TOPIC_CREATED);
}

static void test_names(void **state)
{
    struct rig *r = *state;
    char name[260];
    memset(name, 'a', sizeof(name));
    name[249] = 0;
    assert_int_equal(rig_create(r, name, 1, 1), 0);
    name[249] = 'a';
    name[250] = 0;
    assert_int_equal(rig_create(r, name, 1, 1), RW_KERR_INVALID_TOPIC_EXCEPTION);
    const char *bad[] = {"", ".", "..", "a/b", "a b", "\xc3\xa4", "a:b", "__cluster_metadata"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(rig_create(r, bad[i], 1, 1), RW_KERR_INVALID_TOPIC_EXCEPTION);
    assert_int_equal(rig_create(r, "a.b_c", 1, 1), 0);
    assert_int_equal(rig_create(r, "a_b.c", 1, 1), RW_KERR_INVALID_TOPIC_EXCEPTION);
    assert_int_equal(rig_create(r, "a.b_c", 1, 1), RW_KERR_TOPIC_ALREADY_EXISTS);
    assert_int_equal(rig_create(r, "a.b-c", 1, 1), 0);
}

static void test_numbers(void **state)
{
    struct rig *r = *state;
    assert_int_equal(rig_create(r, "t", 0, 1), RW_KERR_INVALID_PARTITIONS);
    assert_int_equal(rig_create(r, "t", -2, 1), RW_KERR_INVALID_PARTITIONS);
    assert_int_equal(rig_create(r, "t", 1, 0), RW_KERR_INVALID_REPLICATION_FACTOR);
    assert_int_equal(rig_create(r, "t", 1, 3), RW_KERR_INVALID_REPLICATION_FACTOR);
    assert_int_equal(rig_create(r, "t", 101, 1), RW_KERR_POLICY_VIOLATION);
    assert_int_equal(rig_create(r, "t", 100, 1), 0);
    assert_int_equal(rig_create(r, "u", 51, 1), RW_KERR_POLICY_VIOLATION); /* 150 in all */
    assert_int_equal(rig_create(r, "u", 50, 1), 0);
}

struct one {
    struct rw_create_topics_request in;
    struct rw_create_topics_request_topic t;
    struct rw_create_topics_response out;
};

static struct one *one(struct one *o, const char *name)
{
    rw_create_topics_request_init(&o->in);
    rw_create_topics_request_topic_init(&o->t);
    rw_create_topics_response_init(&o->out);
    o->t.name = rw_str(name);
    o->t.num_partitions = -1;
    o->t.replication_factor = -1;
    o->in.n_topics = 1;
    o->in.topics = &o->t;
    return o;
}

static int16_t run(struct rig *r, struct one *o)
{
    assert_int_equal(rw_decide_create_topics(&r->meta, &r->policy, &o->in, &o->out, &r->list), 0);
    return o->out.topics[0].error_code;
}

static void test_configs(void **state)
{
    struct rig *r = *state;
    struct one o;
    struct rw_create_topics_request_config c[2] = {{RW_STR_LIT("retention.ms"), RW_STR_LIT("FIVE")},
                                                   {RW_STR_LIT("bad.key"), RW_STR_LIT("1")}};
    one(&o, "t")->t.configs = c;
    o.t.n_configs = 2;
    assert_int_equal(run(r, &o), RW_KERR_INVALID_CONFIG);
    assert_int_equal(r->list.n, 0);
    c[1] = c[0];
    assert_int_equal(run(r, one(&o, "t")), 0); /* without configs it is fine */
    r->list.n = 0;
    one(&o, "t")->t.configs = c;
    o.t.n_configs = 2;
    assert_int_equal(run(r, &o), RW_KERR_INVALID_CONFIG); /* twice the same */
    o.t.n_configs = 1;
    c[0].value = RW_STR_NULL;
    rw_create_topics_response_init(&o.out);
    assert_int_equal(run(r, &o), RW_KERR_INVALID_CONFIG);
    c[0].value = RW_STR_LIT("contradiction");
    rw_create_topics_response_init(&o.out);
    assert_int_equal(run(r, &o), RW_KERR_INVALID_CONFIG);
    c[0].value = RW_STR_LIT("FIVE");
    rw_create_topics_response_init(&o.out);
    assert_int_equal(run(r, &o), 0);
    assert_int_equal(rig_commit(r), RW_OK);
    const struct rw_meta_topic *t = rw_meta_topic(&r->meta, RW_STR_LIT("t"));
    assert_int_equal(t->n_configs, 1);
    assert_true(rw_str_is(t->configs[0].value, "five")); /* canonical */
}

static void test_assignment(void **state)
{
    struct rig *r = *state;
    struct one o;
    int32_t a[] = {2, 1}, b[] = {1, 2}, twice[] = {1, 1}, unknown[] = {1, 9};
    struct rw_create_topics_request_assignment as[2] = {{1, 2, a}, {0, 2, b}};
    one(&o, "t")->t.assignments = as;
    o.t.n_assignments = 2;
    o.t.num_partitions = 2;
    assert_int_equal(run(r, &o), RW_KERR_INVALID_REQUEST);
    o.t.num_partitions = -1;
    as[1].broker_ids = twice;
    rw_create_topics_response_init(&o.out);
    assert_int_equal(run(r, &o), RW_KERR_INVALID_REPLICA_ASSIGNMENT);
    as[1].broker_ids = unknown;
    rw_create_topics_response_init(&o.out);
    assert_int_equal(run(r, &o), RW_KERR_INVALID_REPLICA_ASSIGNMENT);
    as[1] = (struct rw_create_topics_request_assignment){2, 2, b};
    rw_create_topics_response_init(&o.out);
    assert_int_equal(run(r, &o), RW_KERR_INVALID_REPLICA_ASSIGNMENT); /* 1 and 2, no 0 */
    as[1] = (struct rw_create_topics_request_assignment){0, 1, b};
    rw_create_topics_response_init(&o.out);
    assert_int_equal(run(r, &o), RW_KERR_INVALID_REPLICA_ASSIGNMENT); /* different numbers */
    as[1] = (struct rw_create_topics_request_assignment){0, 2, b};
    rw_create_topics_response_init(&o.out);
    assert_int_equal(run(r, &o), 0);
    assert_int_equal(rig_commit(r), RW_OK);
    const struct rw_meta_topic *t = rw_meta_topic(&r->meta, RW_STR_LIT("t"));
    assert_int_equal(t->partitions[0].leader, 1);
    assert_int_equal(t->partitions[1].leader, 2);
}

static void test_validate_only_and_duplicates(void **state)
{
    struct rig *r = *state;
    struct one o;
    one(&o, "t")->in.validate_only = true;
    assert_int_equal(run(r, &o), 0);
    assert_int_equal(o.out.topics[0].num_partitions, 3);
    assert_int_equal(r->list.n, 0);
    struct rw_create_topics_request_topic two[2] = {o.t, o.t};
    one(&o, "t")->in.topics = two;
    o.in.n_topics = 2;
    assert_int_equal(run(r, &o), RW_KERR_INVALID_REQUEST);
    assert_int_equal(o.out.topics[1].error_code, RW_KERR_INVALID_REQUEST);
    assert_int_equal(r->list.n, 0);
}

static int16_t grow(struct rig *r, const char *name, int32_t count, bool validate_only)
{
    struct rw_create_partitions_request in;
    struct rw_create_partitions_request_topic t;
    struct rw_create_partitions_response out;
    rw_create_partitions_request_init(&in);
    rw_create_partitions_request_topic_init(&t);
    rw_create_partitions_response_init(&out);
    t.name = rw_str(name);
    t.count = count;
    t.n_assignments = -1;
    in.topics = &t;
    in.n_topics = 1;
    in.validate_only = validate_only;
    assert_int_equal(rw_decide_create_partitions(&r->meta, &r->policy, &in, &out, &r->list), 0);
    assert_int_equal(rig_commit(r), RW_OK);
    assert_true(rw_str_is(out.results[0].name, name)); /* echoed (P32) */
    return out.results[0].error_code;
}

static void test_create_partitions(void **state)
{
    struct rig *r = *state;
    assert_int_equal(rig_create(r, "t", 2, 2), 0);
    assert_int_equal(grow(r, "u", 3, false), RW_KERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(grow(r, "t", 2, false), RW_KERR_INVALID_PARTITIONS);
    assert_int_equal(grow(r, "t", 1, false), RW_KERR_INVALID_PARTITIONS);
    assert_int_equal(grow(r, "t", 103, false), RW_KERR_POLICY_VIOLATION);
    const struct rw_meta_topic *t = rw_meta_topic(&r->meta, RW_STR_LIT("t"));
    assert_int_equal(grow(r, "t", 5, true), 0);
    assert_int_equal(t->n_partitions, 2);
    assert_int_equal(grow(r, "t", 5, false), 0);
    assert_int_equal(t->n_partitions, 5);
    assert_int_equal(t->partitions[4].n_replicas, 2);
    assert_int_equal(r->delta.n, 3);
    assert_int_equal(r->delta.changes[2].partition, 4);
}

/* What a request of the largest size can name is judged in one go: comparing each with each would take
 * minutes here. */
static void test_very_many(void **state)
{
    struct rig *r = *state;
    enum { MANY = 200000 };
    struct rw_create_partitions_request grow;
    struct rw_create_partitions_response grown;
    struct rw_create_partitions_request_topic *names = calloc(MANY, sizeof(*names));
    rw_create_partitions_request_init(&grow);
    rw_create_partitions_response_init(&grown);
    for (int i = 0; i < MANY; i++) {
        rw_create_partitions_request_topic_init(&names[i]);
        names[i].name = rw_str(rw_arena_printf(&r->arena, "topic-number-%08d", i));
        names[i].count = 2;
    }
    names[MANY - 1].name = names[0].name;
    grow.n_topics = MANY;
    grow.topics = names;
    assert_int_equal(rw_decide_create_partitions(&r->meta, &r->policy, &grow, &grown, &r->list), 0);
    assert_int_equal(grown.results[0].error_code, RW_KERR_INVALID_REQUEST);
    assert_int_equal(grown.results[1].error_code, RW_KERR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(grown.results[MANY - 1].error_code, RW_KERR_INVALID_REQUEST);
    free(names);

    struct rw_create_topics_request in;
    struct rw_create_topics_request_topic t;
    struct rw_create_topics_response out;
    struct rw_create_topics_request_assignment *as = calloc(MANY, sizeof(*as));
    int32_t broker = 1;
    rw_create_topics_request_init(&in);
    rw_create_topics_request_topic_init(&t);
    rw_create_topics_response_init(&out);
    for (int i = 0; i < MANY; i++) {
        rw_create_topics_request_assignment_init(&as[i]);
        as[i].partition_index = MANY - 1 - i;
        as[i].n_broker_ids = 1;
        as[i].broker_ids = &broker;
    }
    t.name = RW_STR_LIT("assigned");
    t.num_partitions = t.replication_factor = -1;
    t.n_assignments = MANY;
    t.assignments = as;
    in.n_topics = 1;
    in.topics = &t;
    r->policy.request_partitions_max = MANY;
    r->policy.partitions_max = MANY;
    assert_int_equal(rw_decide_create_topics(&r->meta, &r->policy, &in, &out, &r->list), 0);
    assert_int_equal(out.topics[0].error_code, 0);
    assert_int_equal(out.topics[0].num_partitions, MANY);
    r->list.n = 0;
    free(as);
}

/* As many partitions as there are descriptors for, in all topics of a request, and words for the rest. */
static void test_descriptors(void **state)
{
    struct rig *r = *state;
    struct rw_create_topics_request in;
    struct rw_create_topics_response out;
    struct rw_create_topics_request_topic t[2];
    rw_create_topics_request_init(&in);
    rw_create_topics_response_init(&out);
    for (int i = 0; i < 2; i++) {
        rw_create_topics_request_topic_init(&t[i]);
        t[i].name = rw_str(i ? "b" : "a");
        t[i].num_partitions = 5;
        t[i].replication_factor = 1;
    }
    in.n_topics = 2;
    in.topics = t;
    r->room = 9;
    assert_int_equal(rig_add_broker(r, 1), RW_OK);
    assert_int_equal(rw_decide_create_topics(&r->meta, &r->policy, &in, &out, &r->list), 0);
    assert_int_equal(out.topics[0].error_code, 0);
    assert_int_equal(out.topics[1].error_code, RW_KERR_POLICY_VIOLATION);
    assert_non_null(strstr(out.topics[1].error_message.p, "open files"));
    assert_int_equal(rig_commit(r), RW_OK);
    assert_int_equal(rw_meta_topic(&r->meta, RW_STR_LIT("a"))->n_partitions, 5);
    assert_null(rw_meta_topic(&r->meta, RW_STR_LIT("b")));

    struct rw_create_partitions_request grow;
    struct rw_create_partitions_response grown;
    struct rw_create_partitions_request_topic g;
    rw_create_partitions_request_init(&grow);
    rw_create_partitions_response_init(&grown);
    rw_create_partitions_request_topic_init(&g);
    g.name = RW_STR_LIT("a");
    g.count = 7;
    g.n_assignments = -1;
    grow.n_topics = 1;
    grow.topics = &g;
    r->list.n = 0;
    r->room = -3; /* fewer than there are in use already */
    assert_int_equal(rw_decide_create_partitions(&r->meta, &r->policy, &grow, &grown, &r->list), 0);
    assert_int_equal(grown.results[0].error_code, RW_KERR_POLICY_VIOLATION);
    assert_non_null(strstr(grown.results[0].error_message.p, "open files"));
    assert_int_equal(r->list.n, 0);
}

/* Refused memory anywhere: the code says so, nothing is lost or freed twice. */
static void test_out_of_memory(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 500; n++) {
        struct rig r;
        rw_mem_fail_at(n, 0);
        rig_init(&r);
        bool fine = rig_add_broker(&r, 1) == RW_OK && rig_create(&r, "topic", 4, 1) == 0;
        bool reached = rw_mem_count() >= n;
        rw_mem_fail_at(0, 0);
        if (fine)
            assert_int_equal(rw_meta_topic(&r.meta, RW_STR_LIT("topic"))->n_partitions, 4);
        rig_deinit(&r);
        if (!reached) {
            assert_true(fine);
            return;
        }
    }
    fail_msg("more allocations than expected");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_descriptors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_configs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_assignment, setup, teardown),
        cmocka_unit_test_setup_teardown(test_validate_only_and_duplicates, setup, teardown),
        cmocka_unit_test_setup_teardown(test_create_partitions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_very_many, setup, teardown),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
