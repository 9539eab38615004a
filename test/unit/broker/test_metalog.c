/*
 * The metadata log and its snapshots on the simulated disk, its power cut at every operation: what is
 * found afterwards is what was committed, or that and the change that was on its way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "broker/metadata_private.h"
#include "sim/env.h"

#define ROOT    "/data"
#define CHANGES 40

/* The image is a sum: change n puts producer ids 1000 * n and a topic's setting. */
struct world {
    struct rw_sim_env sim;
    struct rw_metalog store;
    struct rw_view view;
    int64_t applied;   /* changes in the image */
    int64_t committed; /* changes that are durable for sure */
    int64_t tried;
};

static void world_init(struct world *w)
{
    *w = (struct world){0};
    rw_sim_env_init(&w->sim, 11, NULL);
    assert_int_equal(w->sim.env.vfs->ops->mkdir(w->sim.env.vfs, ROOT), RW_OK);
    assert_int_equal(w->sim.env.vfs->ops->sync_dir(w->sim.env.vfs, "/"), RW_OK);
    rw_view_init(&w->view);
}

static void world_deinit(struct world *w)
{
    rw_view_deinit(&w->view);
    rw_sim_env_deinit(&w->sim);
}

static int open_store(struct world *w, bool clean)
{
    struct rw_buf found;
    rw_buf_init(&found);
    rw_view_deinit(&w->view);
    rw_view_init(&w->view);
    int rc = rw_metalog_open(&w->store, &w->sim.env, ROOT, clean, &found);
    if (rc == RW_OK)
        rc = rw_view_apply_batches(&w->view, rw_slice(found.p, found.n));
    rw_buf_deinit(&found);
    w->applied = w->view.meta.next_producer_id / 1000;
    if (rc)
        (void)rw_metalog_close(&w->store);
    return rc;
}

/* One topic, and with every change a setting more or less. */
static int change(struct world *w)
{
    struct rw_meta_records list = {.arena = &w->view.scratch};
    char name[32];
    w->tried = w->applied + 1;
    if (w->tried == 1) {
        struct rw_topic_record *t = rw_meta_add(&list, RW_TOPIC_RECORD);
        t->name = RW_STR_LIT("t");
        t->topic_id.b[0] = 1;
    }
    struct rw_config_record *c = rw_meta_add(&list, RW_CONFIG_RECORD);
    (void)snprintf(name, sizeof(name), "k%d", (int)(w->tried % 5));
    c->resource_type = 2;
    c->resource_name = RW_STR_LIT("t");
    c->name = rw_arena_str(list.arena, name);
    (void)snprintf(name, sizeof(name), "%lld", (long long)w->tried);
    c->value = rw_arena_str(list.arena, name);
    struct rw_producer_ids_record *p = rw_meta_add(&list, RW_PRODUCER_IDS_RECORD);
    p->next_producer_id = w->tried * 1000;
    int rc = rw_metalog_append(&w->store, &list, 1000);
    if (rc == RW_OK)
        rc = rw_log_flush(w->store.log, NULL);
    rw_arena_reset(&w->view.scratch);
    if (rc == RW_OK)
        rc = rw_view_apply_batches(&w->view, w->store.batch);
    if (rc == RW_OK)
        w->applied = w->committed = w->tried;
    return rc;
}

/* Every setting is that of the last change that touched it. */
static void check_image(const struct world *w)
{
    const struct rw_meta_topic *t = rw_meta_topic(&w->view.meta, RW_STR_LIT("t"));
    assert_int_equal(w->view.meta.next_producer_id, w->applied * 1000);
    assert_int_equal(t ? t->n_configs : 0, w->applied < 5 ? w->applied : 5);
    for (size_t i = 0; t && i < t->n_configs; i++) {
        char text[32];
        int k = t->configs[i].name.p[1] - '0';
        int64_t last = w->applied - (w->applied - k) % 5;
        (void)snprintf(text, sizeof(text), "%lld", (long long)last);
        assert_true(rw_str_is(t->configs[i].value, text));
    }
}

static int snapshot(struct world *w)
{
    return rw_metalog_snapshot(&w->store, &w->view.meta, 1000);
}

/* Changes, with a snapshot after every seventh. */
static int run(struct world *w)
{
    int rc = open_store(w, false);
    if (rc)
        return rc;
    while (rc == RW_OK && w->applied < CHANGES) {
        rc = change(w);
        if (rc == RW_OK && w->applied % 7 == 0)
            rc = snapshot(w);
    }
    int closed = rw_metalog_close(&w->store);
    return rc ? rc : closed;
}

static int count(void *arg, const char *name)
{
    int *counts = arg;
    size_t n = strlen(name);
    counts[0] += n > 11 && strcmp(name + n - 11, ".checkpoint") == 0;
    counts[1] += n > 4 && strcmp(name + n - 4, ".log") == 0;
    return RW_OK;
}

static void expect_files(struct world *w, int snapshots, int segments)
{
    int counts[2] = {0};
    struct rw_vfs *v = w->sim.env.vfs;
    assert_int_equal(v->ops->list(v, ROOT "/__cluster_metadata-0", count, counts), RW_OK);
    assert_int_equal(counts[0], snapshots);
    assert_int_equal(counts[1], segments);
}

static void test_log_and_snapshot(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    assert_int_equal(run(&w), RW_OK);
    expect_files(&w, 1, 1);
    assert_int_equal(open_store(&w, true), RW_OK);
    assert_int_equal(w.applied, CHANGES);
    assert_true(w.store.snapshot > 0);
    assert_int_equal(rw_log_start(w.store.log), w.store.snapshot);
    check_image(&w);
    uint64_t since = w.store.since;
    assert_true(since > 0);
    assert_int_equal(snapshot(&w), RW_OK);
    assert_int_equal(w.store.since, 0);
    assert_int_equal(rw_log_bytes(w.store.log), 0);
    assert_int_equal(snapshot(&w), RW_OK); /* nothing new */
    expect_files(&w, 1, 1);
    assert_int_equal(rw_metalog_close(&w.store), RW_OK);
    assert_int_equal(open_store(&w, true), RW_OK); /* a snapshot and an empty log */
    check_image(&w);
    assert_int_equal(change(&w), RW_OK);
    assert_int_equal(rw_metalog_close(&w.store), RW_OK);
    world_deinit(&w);
}

/* What the power cut left is whole, and goes on from there. */
static void check_after_cut(struct world *w, uint64_t at)
{
    int rc = open_store(w, false);
    if (rc)
        fail_msg("after a cut at operation %d: %s", (int)at, rw_code_text(rc));
    assert_true(w->applied == w->committed || w->applied == w->tried);
    check_image(w);
    w->committed = w->applied;
    assert_int_equal(change(w), RW_OK);
    assert_int_equal(snapshot(w), RW_OK);
    assert_int_equal(rw_metalog_close(&w->store), RW_OK);
    assert_int_equal(open_store(w, true), RW_OK);
    check_image(w);
    assert_int_equal(rw_metalog_close(&w->store), RW_OK);
}

static void test_power_cut_at_every_operation(void **state)
{
    (void)state;
    bool cut = true;
    uint64_t at = 0;
    while (cut) {
        at++;
        for (uint64_t luck = 1; luck < 6 && cut; luck++) {
            struct world w;
            world_init(&w);
            rw_sim_disk_arm(w.sim.disk, &(struct rw_sim_faults){.cut_at = at});
            int rc = run(&w);
            cut = rw_sim_disk_is_cut(w.sim.disk);
            if (cut) {
                rw_sim_disk_restart(w.sim.disk, at * luck * 7919);
                check_after_cut(&w, at);
            } else {
                assert_int_equal(rc, RW_OK);
            }
            world_deinit(&w);
        }
    }
    assert_true(at > 150);
}

static void newest(struct world *w, char *path, size_t size)
{
    (void)snprintf(path, size, ROOT "/__cluster_metadata-0/%020lld-0000000000.checkpoint",
                   (long long)w->store.snapshot);
}

/* A snapshot that is damaged is not used: an older one and the log if they are there, else an error. */
static void test_damaged_snapshot(void **state)
{
    (void)state;
    struct world w;
    char path[128];
    world_init(&w);
    assert_int_equal(open_store(&w, false), RW_OK);
    for (int i = 0; i < 10; i++)
        assert_int_equal(change(&w), RW_OK);
    assert_int_equal(snapshot(&w), RW_OK);
    assert_int_equal(change(&w), RW_OK);
    newest(&w, path, sizeof(path));
    assert_int_equal(rw_metalog_close(&w.store), RW_OK);
    assert_int_equal(rw_sim_disk_rot(w.sim.disk, path, 200, 4), RW_OK);
    assert_int_equal(open_store(&w, true), RW_E_CORRUPT);
    assert_int_equal(rw_sim_disk_rot(w.sim.disk, path, 200, 4), RW_OK);
    assert_int_equal(open_store(&w, true), RW_OK);
    assert_int_equal(w.applied, 11);
    assert_int_equal(rw_metalog_close(&w.store), RW_OK);
    assert_int_equal(w.sim.env.vfs->ops->unlink(w.sim.env.vfs, path), RW_OK);
    assert_int_equal(open_store(&w, true), RW_E_CORRUPT);
    world_deinit(&w);
}

/* No room for a snapshot: the log is as it was, and the next try succeeds. */
static void test_full_disk(void **state)
{
    (void)state;
    for (uint64_t at = 1; at < 8; at++) {
        struct world w;
        world_init(&w);
        assert_int_equal(open_store(&w, false), RW_OK);
        for (int i = 0; i < 10; i++)
            assert_int_equal(change(&w), RW_OK);
        rw_sim_disk_arm(w.sim.disk, &(struct rw_sim_faults){.full_at = at});
        (void)snapshot(&w);
        rw_sim_disk_arm(w.sim.disk, &(struct rw_sim_faults){0});
        assert_int_equal(rw_log_state(w.store.log), RW_OK);
        assert_int_equal(change(&w), RW_OK);
        assert_int_equal(snapshot(&w), RW_OK);
        expect_files(&w, 1, 1);
        assert_int_equal(rw_metalog_close(&w.store), RW_OK);
        assert_int_equal(open_store(&w, true), RW_OK);
        assert_int_equal(w.applied, 11);
        check_image(&w);
        assert_int_equal(rw_metalog_close(&w.store), RW_OK);
        world_deinit(&w);
    }
}

/* The disk is full to the last byte when the broker starts again: topics can still be changed. */
static void test_reserve_outlives_a_stop(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    assert_int_equal(open_store(&w, false), RW_OK);
    assert_int_equal(change(&w), RW_OK);
    assert_int_equal(rw_metalog_close(&w.store), RW_OK);
    rw_sim_disk_set_capacity(w.sim.disk, 1);
    for (int stop = 1; stop <= 3; stop++) {
        assert_int_equal(open_store(&w, true), RW_OK);
        for (int i = 0; i < 500; i++)
            assert_int_equal(change(&w), RW_OK);
        assert_int_equal(w.applied, 1 + 500 * stop);
        /* There is no room for what makes the next start quick, but nothing of the reserve is lost. */
        (void)rw_metalog_close(&w.store);
    }
    world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_and_snapshot),
        cmocka_unit_test(test_power_cut_at_every_operation),
        cmocka_unit_test(test_damaged_snapshot),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_reserve_outlives_a_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
