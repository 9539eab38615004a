/*
 * Crashes the storage engine at its n-th operation on the disk, for many n, reopens it, and compares
 * with the model.
 *
 *   crash_log                   sampled: --seeds 25 --cuts 40
 *   crash_log --long            every n of every seed, many seeds
 *   crash_log --seed 7 --cut 93 --luck 2    one case again, as printed with a violation;
 *                                         --trace shows what is done to the disk
 *   crash_log --faults                      one read, write or sync fails, or the disk is full, before
 *                                         the power does
 *   crash_log --plant sync-lies             with a planted bug: succeeds when it is caught
 *
 * Each case: run the workload until the power fails; switch on; open (in half of the cases the power
 * fails again while it opens); check; go on working; fail again; check; close cleanly; check.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "world.h"

enum plant { PLANT_NONE, PLANT_SYNC_LIES, PLANT_DIR_LIES, PLANT_ROT };

struct run {
    uint64_t seed, cut, luck;
    enum plant plant;
    unsigned steps;
    uint64_t cases, opens;
    bool trace;
    bool faults;
};

/* Until the disk fails, something is wrong, or the steps are done. */
static int work(struct world *w, unsigned steps, bool faults)
{
    int rc = RW_OK;
    for (unsigned i = 0; i < steps && !rc && !w->why[0]; i++)
        rc = world_step(w);
    if (!rc || rw_sim_disk_is_cut(w->e.disk))
        return rc;
    if (!faults)
        world_fail(w, "an operation failed on a healthy disk: %s", rw_code_name(rc));
    else if (w->log && rw_log_state(w->log) && rw_log_flush(w->log, NULL) != RW_E_OFFLINE)
        world_fail(w, "the log failed (%s), and a later flush does not say so", rw_code_name(rc));
    return rc;
}

static struct rw_sim_faults faults_of(const struct run *run, uint64_t cut)
{
    return (struct rw_sim_faults){.cut_at = cut,
                                  .sync_lies = run->plant == PLANT_SYNC_LIES,
                                  .sync_dir_lies = run->plant == PLANT_DIR_LIES};
}

static void arm(struct world *w, const struct run *run, uint64_t cut)
{
    const struct rw_sim_faults f = faults_of(run, cut);
    rw_sim_disk_arm(w->e.disk, &f);
}

/* For a workload: with --faults, one operation fails as well. */
static void arm_work(struct world *w, const struct run *run, uint64_t cut, struct rw_sim_rand *luck)
{
    struct rw_sim_faults f = faults_of(run, cut);
    uint64_t *const kinds[] = {&f.read_at, &f.write_at, &f.sync_at, &f.full_at};
    if (run->faults)
        *kinds[rw_sim_rand_below(luck, 4)] = 1 + rw_sim_rand_below(luck, 60);
    rw_sim_disk_arm(w->e.disk, &f);
}

/* Power off and on again, or (kill) only the process dies. */
static void restart(struct world *w, bool kill, uint64_t luck)
{
    world_close(w, false);
    if (kill)
        rw_sim_disk_revive(w->e.disk);
    else
        rw_sim_disk_restart(w->e.disk, luck);
}

/* A flipped byte in the oldest segment: whatever happens, it must not be taken for data. */
static void plant_rot(struct world *w)
{
    const char *path = WORLD_LOG "/00000000000000000000.log";
    for (uint64_t at = 100; at < 4000; at += 400)
        if (rw_sim_disk_rot(w->e.disk, path, at, 0x10))
            return;
}

static bool recover(struct world *w, struct run *run, struct rw_sim_rand *luck)
{
    arm(w, run, 0);
    if (!world_look(w))
        return false;
    bool again = rw_sim_rand_chance(luck, 50);
    if (again) {
        arm(w, run, 1 + rw_sim_rand_below(luck, 30));
        int rc = world_open(w);
        run->opens++;
        bool cut = rw_sim_disk_is_cut(w->e.disk);
        if (rc && !cut)
            return world_fail(w, "opening after a crash: %s", rw_code_name(rc));
        restart(w, cut && rw_sim_rand_chance(luck, 30), rw_sim_rand_next(luck));
    }
    arm(w, run, 0);
    run->opens++;
    int rc = world_open(w);
    if (rc)
        return world_fail(w, "opening after a crash: %s", rw_code_name(rc));
    return world_check(w);
}

static bool one_case(struct run *run, struct world *w)
{
    struct rw_sim_rand luck;
    rw_sim_rand_init(&luck, run->seed * 1000003 + run->cut * 101 + run->luck);
    run->cases++;
    if (world_open(w))
        return world_fail(w, "opening an empty directory failed");
    arm_work(w, run, run->cut, &luck);
    (void)work(w, run->steps, run->faults);
    for (int round = 0; round < 3 && !w->why[0]; round++) {
        bool kill = rw_sim_rand_chance(&luck, 20);
        restart(w, kill, rw_sim_rand_next(&luck));
        if (run->plant == PLANT_ROT && round == 0)
            plant_rot(w);
        if (!recover(w, run, &luck))
            return false;
        arm_work(w, run, 1 + rw_sim_rand_below(&luck, 200), &luck);
        (void)work(w, run->steps / 2, run->faults);
    }
    restart(w, false, rw_sim_rand_next(&luck));
    if (w->why[0] || !recover(w, run, &luck))
        return false;
    if (world_close(w, true))
        return world_fail(w, "closing cleanly failed on a healthy disk");
    rw_sim_disk_restart(w->e.disk, rw_sim_rand_next(&luck));
    int64_t promised = w->m.n ? w->m.entries[w->m.n - 1].last + 1 : 0;
    w->m.promised = promised;
    if (world_open(w))
        return world_fail(w, "opening after a clean close failed");
    return world_check(w);
}

/* Changes that the workload makes on a healthy disk: the range of n. */
static uint64_t count_changes(struct run *run)
{
    struct world w;
    struct rw_sim_disk_stats before, after;
    world_init(&w, run->seed);
    if (world_open(&w))
        exit(2);
    rw_sim_disk_stats(w.e.disk, &before);
    (void)work(&w, run->steps, false);
    rw_sim_disk_stats(w.e.disk, &after);
    if (w.why[0]) {
        printf("seed %" PRIu64 " without any crash: %s\n", run->seed, w.why);
        exit(1);
    }
    world_deinit(&w);
    return after.changes - before.changes;
}

/* What the engine says, and what it asks of the disk: for looking at one case. */
static void say(struct rw_diag *d, const struct rw_diag_line *line)
{
    (void)d;
    struct rw_buf out;
    rw_buf_init(&out);
    rw_diag_format_line(&out, RW_DIAG_TEXT, false, 0, -1, line);
    fputs(rw_buf_cstr(&out), stdout);
    rw_buf_deinit(&out);
}

static void show(void *arg, enum rw_sim_op op, const char *path)
{
    static const char *const names[] = {"open",   "read",   "write", "sync",  "truncate", "reserve",
                                        "rename", "unlink", "mkdir", "rmdir", "sync_dir"};
    uint64_t *n = arg;
    *n += op != RW_SIM_OP_READ;
    printf("    %" PRIu64 " %s %s\n", *n, names[op], path);
}

static bool try_case(struct run *run)
{
    struct world w;
    world_init(&w, run->seed);
    struct rw_diag diag = {.write = say, .min_level = RW_TRACE};
    uint64_t shown = 0;
    if (run->trace) {
        w.e.env.diag = &diag;
        rw_sim_disk_watch(w.e.disk, show, &shown);
    }
    bool ok = one_case(run, &w);
    if (!ok)
        printf("violation: %s\n  again: crash_log --seed %" PRIu64 " --cut %" PRIu64
               " --luck %" PRIu64 " --steps %u%s\n",
               w.why, run->seed, run->cut, run->luck, run->steps, run->faults ? " --faults" : "");
    world_deinit(&w);
    return ok;
}

struct options {
    uint64_t first_seed, seeds, cuts, seconds;
    bool one, every;
    enum plant plant;
    uint64_t violations_max;
};

/* Each of these once failed: an index that was not synced before it was trusted, a checkpoint whose
 * name was not durable when it was built upon, a cut that was undone by a second crash. */
static uint64_t run_known(struct run *run)
{
    static const uint64_t known[][2] = {{251, 63},  {312, 275}, {344, 94},
                                        {347, 107}, {410, 107}, {414, 143}};
    uint64_t violations = 0;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        run->seed = known[i][0];
        run->cut = known[i][1];
        violations += !try_case(run);
    }
    return violations;
}

static int run_all(struct options *o, struct run *run)
{
    time_t until = time(NULL) + (time_t)o->seconds;
    bool known = run->plant == PLANT_NONE && !run->faults;
    uint64_t violations = known ? run_known(run) : 0, seed = o->first_seed;
    for (; seed < o->first_seed + o->seeds && violations < o->violations_max; seed++) {
        run->seed = seed;
        uint64_t n = count_changes(run);
        uint64_t cases = o->every ? n : o->cuts;
        struct rw_sim_rand pick;
        rw_sim_rand_init(&pick, seed);
        for (uint64_t i = 0; i < cases && violations < o->violations_max; i++) {
            run->cut = o->every ? i + 1 : 1 + rw_sim_rand_below(&pick, n);
            violations += !try_case(run);
        }
        if (o->seconds && time(NULL) >= until)
            break;
    }
    printf("%" PRIu64 " seeds, %" PRIu64 " crashes, %" PRIu64 " recoveries: %" PRIu64
           " violations\n",
           seed - o->first_seed, run->cases, run->opens, violations);
    if (o->plant != PLANT_NONE)
        return violations ? 0 : 1;
    return violations ? 1 : 0;
}

static uint64_t number(int argc, char **argv, int i)
{
    if (i + 1 >= argc) {
        fprintf(stderr, "crash_log: %s needs a number\n", argv[i]);
        exit(2);
    }
    return strtoull(argv[i + 1], NULL, 10);
}

int main(int argc, char **argv)
{
    struct options o = {.first_seed = 1, .seeds = 25, .cuts = 40, .violations_max = 1};
    struct run run = {.steps = 60};
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (!strcmp(a, "--long")) {
            o.every = true;
            o.seeds = 1000;
        } else if (!strcmp(a, "--plant") && i + 1 < argc) {
            const char *p = argv[++i];
            o.plant = !strcmp(p, "sync-lies")  ? PLANT_SYNC_LIES
                      : !strcmp(p, "dir-lies") ? PLANT_DIR_LIES
                                               : PLANT_ROT;
        } else if (!strcmp(a, "--seed")) {
            o.first_seed = number(argc, argv, i++);
            o.seeds = 1;
        } else if (!strcmp(a, "--first-seed")) {
            o.first_seed = number(argc, argv, i++);
        } else if (!strcmp(a, "--seeds")) {
            o.seeds = number(argc, argv, i++);
        } else if (!strcmp(a, "--cuts")) {
            o.cuts = number(argc, argv, i++);
        } else if (!strcmp(a, "--trace")) {
            run.trace = true;
        } else if (!strcmp(a, "--faults")) {
            run.faults = true;
        } else if (!strcmp(a, "--cut")) {
            o.one = true;
            run.cut = number(argc, argv, i++);
        } else if (!strcmp(a, "--luck")) {
            run.luck = number(argc, argv, i++);
        } else if (!strcmp(a, "--steps")) {
            run.steps = (unsigned)number(argc, argv, i++);
        } else if (!strcmp(a, "--seconds")) {
            o.seconds = number(argc, argv, i++);
        } else if (!strcmp(a, "--violations")) {
            o.violations_max = number(argc, argv, i++);
        } else {
            fprintf(stderr, "crash_log: unknown option %s\n", a);
            return 2;
        }
    }
    run.plant = o.plant;
    if (!o.one)
        return run_all(&o, &run);
    run.seed = o.first_seed;
    return try_case(&run) ? 0 : 1;
}
