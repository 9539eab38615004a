/*
 * Fan-out over a world of a few lines: shards whose messages, timers and jobs run one at a time, in any order
 * that keeps the messages of one shard to another in order. Partitions are what the test says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/mem.h"
#include "broker/fan.h"
#include "broker/partitions.h"
#include "wire/error.h"

#define SHARDS  4
#define ITEMS   8
#define WAITING 100 /* posts and jobs at a time */

/* ---- the world ---- */

struct world_loop {
    struct rw_loop loop;
    int index;
    struct rw_post *posts[WAITING]; /* in order of arrival */
    int n;
};

static struct world_loop loops[SHARDS];
static struct rw_shard shards[SHARDS];
static struct rw_shard *shard_list[SHARDS];
static struct rw_broker broker;
static struct rw_job *jobs[WAITING];
static int n_jobs;
static struct rw_timer *armed;
static int running = -1; /* the shard whose message runs */

static void post(struct rw_loop *l, struct rw_post *p)
{
    struct world_loop *w = RW_CONTAINER(l, struct world_loop, loop);
    assert_true(w->n < WAITING);
    w->posts[w->n++] = p;
}

static void timer_start(struct rw_loop *l, struct rw_timer *t, int64_t at_us)
{
    assert_ptr_equal(l, &loops[0].loop);
    assert_null(armed);
    t->at_us = at_us;
    t->armed = true;
    armed = t;
}

static void timer_stop(struct rw_loop *l, struct rw_timer *t)
{
    (void)l;
    assert_ptr_equal(armed, t);
    t->armed = false;
    armed = NULL;
}

static void submit(struct rw_jobs *j, enum rw_job_class class, struct rw_loop *loop,
                   struct rw_job *job)
{
    (void)j;
    assert_int_equal(class, RW_JOB_READ);
    assert_true(n_jobs < WAITING);
    job->loop = loop;
    jobs[n_jobs++] = job;
}

static const struct rw_loop_ops loop_ops = {
    .post = post, .timer_start = timer_start, .timer_stop = timer_stop};
static const struct rw_jobs_ops jobs_ops = {.submit = submit};
static struct rw_jobs job_pool = {.ops = &jobs_ops};

/* Runs the oldest message of that shard. False: it has none. */
static bool step(int shard)
{
    struct world_loop *w = &loops[shard];
    if (w->n == 0)
        return false;
    struct rw_post *p = w->posts[0];
    memmove(w->posts, w->posts + 1, (size_t)--w->n * sizeof(w->posts[0]));
    running = shard;
    p->run(&w->loop, p);
    running = -1;
    return true;
}

static bool step_job(int i)
{
    if (i >= n_jobs)
        return false;
    struct rw_job *job = jobs[i];
    jobs[i] = jobs[--n_jobs];
    job->work(job);
    for (int s = 0; s < SHARDS; s++)
        if (job->loop == &loops[s].loop)
            running = s;
    job->done(job);
    running = -1;
    return true;
}

static void fire(void)
{
    struct rw_timer *t = armed;
    armed = NULL;
    t->armed = false;
    running = 0;
    t->fire(t);
    running = -1;
}

/* Until nothing is on its way, the shards in turn. */
static void settle(void)
{
    bool some = true;
    while (some) {
        some = step_job(0);
        for (int s = 0; s < SHARDS; s++)
            some |= step(s);
    }
}

/* ---- what fan.c asks of others ---- */

struct partition {
    struct rw_partition p;
    bool exists;
    int16_t error;
};

static struct partition partitions[ITEMS];
static struct rw_request request;
static int released, requests_done;

int rw_partition_shard(const struct rw_broker *b, struct rw_uuid topic_id, int32_t index)
{
    (void)topic_id;
    return index % b->n_shards;
}

struct rw_partition *rw_partition_find(const struct rw_shard *s, struct rw_uuid topic_id,
                                       int32_t index)
{
    (void)topic_id;
    assert_int_equal(s->index, index % SHARDS);
    return partitions[index].exists ? &partitions[index].p : NULL;
}

int16_t rw_partition_error(const struct rw_partition *p)
{
    return RW_CONTAINER((struct rw_partition *)(uintptr_t)p, struct partition, p)->error;
}

bool rw_partition_release(struct rw_partition *p)
{
    assert_true(p->held > 0);
    p->held--;
    released++;
    return false;
}

void rw_request_done(struct rw_request *req)
{
    (void)req;
    requests_done++;
}

void rw_request_parks(struct rw_request *req)
{
    assert_ptr_equal(req, &request);
}

/* ---- a request ---- */

static struct rw_fan *fan;
static struct rw_fan_item items[ITEMS];
static int done_count, halts, runs;

/* What run() does on a shard. */
static enum { AT_ONCE, WAIT, READ } how[SHARDS];
static struct rw_fan_leg *parked[SHARDS];

static void read_nothing(struct rw_fan_leg *leg)
{
    assert_true(leg->reading);
}

static void run_leg(struct rw_shard *owner, struct rw_fan_leg *leg)
{
    assert_int_equal(owner->index, running);
    assert_int_equal(leg->shard, running);
    assert_false(leg->answered);
    runs++;
    for (struct rw_fan_item *i = leg->first; i; i = i->next) {
        assert_int_equal(i->index % SHARDS, running);
        assert_true(!i->next || i->next->index > i->index);
        i->partition = &partitions[i->index].p;
        i->reads = how[running] == READ;
    }
    if (how[running] == READ)
        rw_fan_leg_read(owner, leg, read_nothing, rw_fan_leg_done);
    else if (how[running] == WAIT)
        parked[running] = leg;
    else
        rw_fan_leg_done(owner, leg);
}

static void halt_leg(struct rw_shard *owner, struct rw_fan_leg *leg)
{
    assert_int_equal(owner->index, running);
    assert_ptr_equal(parked[running], leg);
    parked[running] = NULL;
    halts++;
    rw_fan_leg_done(owner, leg);
}

/* A leg that waits has what it waited for. */
static void wake(int shard)
{
    struct rw_fan_leg *leg = parked[shard];
    parked[shard] = NULL;
    running = shard;
    rw_fan_leg_done(&shards[shard], leg);
    running = -1;
}

static void done(struct rw_fan *f)
{
    assert_ptr_equal(f, fan);
    assert_true(running <= 0); /* the request's shard, or its handler */
    assert_null(armed);
    assert_int_equal(f->waiting, 0);
    for (int i = 0; i < SHARDS; i++) {
        assert_null(parked[i]);
        assert_true(!f->legs[i].first || f->legs[i].answered);
    }
    done_count++;
}

static int setup(void **state)
{
    (void)state;
    broker = (struct rw_broker){.shards = shard_list, .n_shards = SHARDS, .jobs = &job_pool};
    for (int i = 0; i < SHARDS; i++) {
        loops[i] = (struct world_loop){.loop.ops = &loop_ops, .index = i};
        shards[i] = (struct rw_shard){.broker = &broker, .loop = &loops[i].loop, .index = i};
        shard_list[i] = &shards[i];
        how[i] = AT_ONCE;
        parked[i] = NULL;
    }
    memset(partitions, 0, sizeof(partitions));
    n_jobs = released = requests_done = done_count = halts = runs = 0;
    armed = NULL;
    request = (struct rw_request){.shard = &shards[0]};
    rw_arena_init(&request.arena, 1 << 20);
    fan = rw_arena_zalloc(&request.arena, sizeof(*fan));
    assert_non_null(fan);
    assert_int_equal(rw_fan_init(fan, &request), RW_OK);
    fan->run = run_leg;
    fan->halt = halt_leg;
    fan->done = done;
    for (int32_t i = 0; i < ITEMS; i++)
        items[i] = (struct rw_fan_item){.index = i, .leader_epoch = -1};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rw_arena_deinit(&request.arena);
    return 0;
}

static void add(int from, int to)
{
    for (int i = from; i < to; i++)
        rw_fan_add(fan, &items[i]);
}

/* ---- tests ---- */

static void legs_go_to_owners_and_come_back(void **state)
{
    (void)state;
    add(0, ITEMS);
    rw_fan_start(fan, -1);
    assert_int_equal(runs, 0); /* messages, also to the own shard */
    for (int s = 1; s < SHARDS; s++)
        assert_true(step(s));
    assert_int_equal(done_count, 0);
    settle();
    assert_int_equal(runs, SHARDS);
    assert_int_equal(done_count, 1);
    rw_fan_stop(fan); /* too late: nothing happens */
    settle();
    assert_int_equal(done_count, 1);
}

static void only_shards_with_items_are_asked(void **state)
{
    (void)state;
    add(2, 3);
    rw_fan_start(fan, -1);
    assert_int_equal(loops[0].n + loops[1].n + loops[3].n, 0);
    settle();
    assert_int_equal(runs, 1);
    assert_int_equal(done_count, 1);
}

static void nothing_to_ask_is_done_at_once(void **state)
{
    (void)state;
    rw_fan_start(fan, 1000);
    assert_int_equal(done_count, 1);
}

static void first_that_ends_ends_all(void **state)
{
    (void)state;
    fan->first_ends = true;
    how[1] = how[2] = WAIT;
    add(0, 3);
    rw_fan_start(fan, -1);
    settle();
    assert_int_equal(halts, 2);
    assert_int_equal(done_count, 1);
    assert_false(fan->given_up);
}

static void first_of_two_ends_the_other(void **state)
{
    (void)state;
    fan->first_ends = true;
    how[1] = WAIT;
    add(0, 2);
    rw_fan_start(fan, -1);
    settle();
    assert_int_equal(halts, 1);
    assert_int_equal(done_count, 1);
}

static void time_ends_what_waits(void **state)
{
    (void)state;
    how[1] = how[3] = WAIT;
    add(0, ITEMS);
    rw_fan_start(fan, 5000);
    settle();
    assert_int_equal(done_count, 0);
    assert_non_null(armed);
    assert_int_equal(armed->at_us, 5000);
    fire();
    settle();
    assert_int_equal(halts, 2);
    assert_int_equal(done_count, 1);
    assert_true(fan->given_up);
}

static void no_timer_for_legs_that_never_wait(void **state)
{
    (void)state;
    fan->halt = NULL;
    add(0, 1);
    rw_fan_start(fan, 5000);
    assert_null(armed);
    settle();
    assert_int_equal(done_count, 1);
}

/* The leg's answer and the order to stop pass each other: it must not be answered twice. */
static void stop_crosses_the_answer(void **state)
{
    (void)state;
    how[1] = how[2] = WAIT;
    add(1, 3);
    rw_fan_start(fan, -1);
    assert_true(step(1) && step(2));
    rw_fan_stop(fan);
    rw_fan_stop(fan); /* the second does nothing */
    wake(1);
    settle();
    assert_int_equal(halts, 1);
    assert_int_equal(done_count, 1);
}

static void a_dead_connection_gives_up(void **state)
{
    (void)state;
    how[1] = WAIT;
    add(0, ITEMS);
    rw_fan_start(fan, 5000);
    settle();
    request.cancel(&request);
    settle();
    assert_int_equal(done_count, 1);
    assert_true(fan->given_up);
}

static void a_leg_that_reads_ends_by_itself(void **state)
{
    (void)state;
    how[1] = READ;
    add(0, 6);
    rw_fan_start(fan, -1);
    assert_true(step(1));
    assert_int_equal(n_jobs, 1);
    assert_int_equal(partitions[1].p.held + partitions[5].p.held, 2);
    rw_fan_stop(fan);
    for (int s = 0; s < SHARDS; s++)
        while (step(s))
            ;
    assert_int_equal(done_count, 0); /* the job still uses the request's memory */
    settle();
    assert_int_equal(done_count, 1);
    assert_int_equal(halts, 0);
    assert_int_equal(released, 2);
    assert_int_equal(partitions[1].p.held + partitions[5].p.held, 0);
}

static void another_round(void **state)
{
    (void)state;
    how[1] = WAIT;
    add(0, ITEMS);
    rw_fan_start(fan, 1000);
    settle();
    fire();
    settle();
    rw_fan_again(fan, 1000); /* what stopped the first does not stop the second */
    settle();
    assert_int_equal(done_count, 1);
    fire();
    settle();
    assert_int_equal(done_count, 2);
    assert_int_equal(halts, 2);
    assert_int_equal(runs, 2 * SHARDS);
}

/* Whatever the order: one answer per leg, one end per round, nothing on its way afterwards. */
static void any_order(void **state)
{
    for (unsigned seed = 1; seed <= 2000; seed++) {
        uint32_t random = seed * 2654435761u;
        teardown(state);
        setup(state);
#define RANDOM(n) ((int)((random = random * 1664525u + 1013904223u) >> 16) % (n))
        for (int s = 0; s < SHARDS; s++)
            how[s] = RANDOM(3);
        fan->first_ends = RANDOM(2);
        add(0, 1 + RANDOM(ITEMS));
        for (int round = 1; round <= 2; round++) {
            rw_fan_start(fan, 1000);
            for (int i = 0; done_count < round; i++) {
                int s = RANDOM(SHARDS);
                switch (RANDOM(i > 300 ? 4 : 8)) {
                case 0:
                    if (armed && i > 20)
                        fire();
                    break;
                case 1:
                    step_job(n_jobs ? RANDOM(n_jobs) : 0);
                    break;
                case 2:
                    if (parked[s])
                        wake(s);
                    break;
                default:
                    step(s);
                }
                if (i > 10000)
                    fail_msg("seed %u does not end", seed);
            }
            assert_int_equal(done_count, round);
            for (int s = 0; s < SHARDS; s++)
                assert_int_equal(loops[s].n, 0);
            assert_int_equal(n_jobs, 0);
        }
    }
}

static int worked, looked, answered;

static void work(struct rw_fan *f, struct rw_fan_item *i)
{
    assert_ptr_equal(f, fan);
    assert_ptr_equal(i->partition, &partitions[i->index].p);
    i->reads = i->index == 4;
    worked++;
}

static void look(struct rw_fan *f, struct rw_fan_item *i)
{
    (void)f;
    assert_int_equal(i->index, 4);
    looked++;
}

static void answer(struct rw_fan *f, struct rw_fan_item *i)
{
    static const int16_t want[ITEMS] = {RW_KERR_UNKNOWN_TOPIC_OR_PARTITION,
                                        RW_KERR_NOT_LEADER_OR_FOLLOWER,
                                        RW_KERR_FENCED_LEADER_EPOCH,
                                        RW_KERR_UNKNOWN_LEADER_EPOCH,
                                        0,
                                        0,
                                        0,
                                        RW_KERR_KAFKA_STORAGE_ERROR};
    (void)f;
    assert_int_equal(i->error, want[i->index]);
    assert_false(i->reads);
    answered++;
}

static void each_item_is_resolved_worked_on_and_answered(void **state)
{
    (void)state;
    for (int i = 1; i < ITEMS; i++) {
        partitions[i].exists = true;
        partitions[i].p.part.leader_epoch = 5;
    }
    partitions[1].error = RW_KERR_NOT_LEADER_OR_FOLLOWER;
    partitions[7].error = RW_KERR_KAFKA_STORAGE_ERROR;
    items[2].leader_epoch = 4;
    items[3].leader_epoch = 6;
    items[5].leader_epoch = 5;
    worked = looked = answered = 0;
    add(0, ITEMS);
    rw_fan_each(fan, work, look, answer);
    settle();
    assert_int_equal(worked, 3);
    assert_int_equal(looked, 1);
    assert_int_equal(released, 1);
    assert_int_equal(answered, ITEMS);
    assert_int_equal(requests_done, 1);
}

static void no_memory(void **state)
{
    (void)state;
    struct rw_fan other;
    struct rw_request empty = {.shard = &shards[0]};
    rw_arena_init(&empty.arena, 1 << 20);
    rw_mem_fail_at(1, 1);
    int rc = rw_fan_init(&other, &empty);
    rw_mem_fail_at(0, 0);
    assert_int_equal(rc, RW_E_NOMEM);
    rw_arena_deinit(&empty.arena);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(legs_go_to_owners_and_come_back),
        T(only_shards_with_items_are_asked),
        T(nothing_to_ask_is_done_at_once),
        T(first_that_ends_ends_all),
        T(first_of_two_ends_the_other),
        T(time_ends_what_waits),
        T(no_timer_for_legs_that_never_wait),
        T(stop_crosses_the_answer),
        T(a_dead_connection_gives_up),
        T(a_leg_that_reads_ends_by_itself),
        T(another_round),
        T(any_order),
        T(each_item_is_resolved_worked_on_and_answered),
        T(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
