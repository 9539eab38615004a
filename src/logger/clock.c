/* Relating ticks to the wall clock. One thread corrects; it is also the only one that converts in a living process. */
#include "logger/clock.h"

#include <time.h>
#include "os/ticks.h"

enum { FIRST_NS = 2000000, EVERY_NS = 200000000 };

/* Ticks and a clock, read as close to each other as can be: the best of some tries. */
static uint64_t read_pair(int64_t (*read)(void), int64_t *ret_ns)
{
    uint64_t best = UINT64_MAX, ticks = 0;
    for (int i = 0; i < 5; i++) {
        uint64_t before = rw_os_ticks();
        int64_t ns = read();
        uint64_t after = rw_os_ticks();
        if (after - before < best) {
            best = after - before;
            ticks = before + (after - before) / 2;
            *ret_ns = ns;
        }
    }
    return ticks;
}

static double rate(const struct rw_lg_calibration *c)
{
    int64_t ns = 0;
    uint64_t ticks = read_pair(rw_os_mono_ns, &ns);
    return ticks == c->first_ticks
               ? 1.0
               : (double)(ns - c->first_mono_ns) / (double)(ticks - c->first_ticks);
}

static void publish(struct rw_lg_clock *clock, uint64_t ticks, int64_t wall_ns, double ns_per_tick)
{
    atomic_fetch_add(&clock->turn, 1);
    clock->ticks = ticks;
    clock->wall_ns = wall_ns;
    clock->ns_per_tick = ns_per_tick;
    atomic_fetch_add(&clock->turn, 1);
}

void rw_lg_clock_start(struct rw_lg_clock *clock, struct rw_lg_calibration *c)
{
    rw_os_ticks_init();
    *c = (struct rw_lg_calibration){0};
    c->first_ticks = read_pair(rw_os_mono_ns, &c->first_mono_ns);
    nanosleep(&(struct timespec){.tv_nsec = FIRST_NS}, NULL);
    double per = rate(c);
    int64_t wall = 0;
    uint64_t ticks = read_pair(rw_os_wall_ns, &wall);
    clock->is_tsc = rw_os_ticks_tsc;
    publish(clock, ticks, wall, per);
    c->next_ns = c->first_mono_ns + EVERY_NS;
}

void rw_lg_clock_correct(struct rw_lg_clock *clock, struct rw_lg_calibration *c, int64_t mono_ns)
{
    c->stepped_ns = 0;
    if (mono_ns < c->next_ns)
        return;
    c->next_ns = mono_ns + EVERY_NS;
    double per = rate(c);
    int64_t wall = 0;
    uint64_t ticks = read_pair(rw_os_wall_ns, &wall);
    int64_t shown = rw_lg_clock_ns(clock, ticks);
    if (shown <= wall) {
        publish(clock, ticks, wall, per);
    } else if (shown - wall < RW_LG_STEP_NS) {
        /* A tenth slower, or as much as it takes to meet the wall clock at the next correction. */
        double slower = (double)(shown - wall) / EVERY_NS;
        publish(clock, ticks, shown, per * (1 - (slower > 0.1 ? 0.1 : slower)));
    } else {
        c->stepped_ns = shown - wall;
        publish(clock, ticks, wall, per);
    }
}
