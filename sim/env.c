/* Puts the simulated parts together; mutexes that check their use. */
#include "sim/env.h"

#include "base/assert.h"
#include "base/mem.h"

struct rw_mutex {
    bool held;
};

struct rw_cond {
    int unused;
};

static int mutex_new(struct rw_sync *s, struct rw_mutex **ret_mutex)
{
    (void)s;
    struct rw_mutex *m = rw_zalloc(sizeof(*m));
    if (!m)
        return RW_E_NOMEM;
    *ret_mutex = m;
    return RW_OK;
}

static void mutex_free(struct rw_sync *s, struct rw_mutex *m)
{
    (void)s;
    RW_ASSERT(!m || !m->held);
    rw_free(m);
}

static void lock(struct rw_sync *s, struct rw_mutex *m)
{
    (void)s;
    RW_ASSERT(!m->held); /* with one thread: a deadlock */
    m->held = true;
}

static void unlock(struct rw_sync *s, struct rw_mutex *m)
{
    (void)s;
    RW_ASSERT(m->held);
    m->held = false;
}

static int cond_new(struct rw_sync *s, struct rw_cond **ret_cond)
{
    (void)s;
    struct rw_cond *c = rw_zalloc(sizeof(*c));
    if (!c)
        return RW_E_NOMEM;
    *ret_cond = c;
    return RW_OK;
}

static void cond_free(struct rw_sync *s, struct rw_cond *c)
{
    (void)s;
    rw_free(c);
}

static void broadcast(struct rw_sync *s, struct rw_cond *c)
{
    (void)s;
    (void)c;
}

static int wait(struct rw_sync *s, struct rw_cond *c, struct rw_mutex *m, int64_t timeout_us)
{
    (void)c;
    RW_ASSERT(m->held);
    RW_ASSERT(timeout_us >= 0);
    rw_sim_clock_advance(((struct rw_sim_sync *)s)->clock, timeout_us);
    return RW_E_TIMEOUT;
}

void rw_sim_sync_init(struct rw_sim_sync *s, struct rw_sim_clock *clock)
{
    s->sync =
        (struct rw_sync){mutex_new, mutex_free, lock, unlock, cond_new, cond_free, broadcast, wait};
    s->clock = clock;
}

void rw_sim_env_init(struct rw_sim_env *e, uint64_t seed, const struct rw_sim_disk_options *options)
{
    rw_sim_clock_init(&e->clock);
    rw_sim_rand_init(&e->rand, seed);
    rw_sim_sync_init(&e->sync, &e->clock);
    e->disk = rw_sim_disk_new(seed, options);
    RW_ASSERT(e->disk);
    e->env = (struct rw_env){.clock = &e->clock.clock,
                             .rand = &e->rand.rand,
                             .vfs = rw_sim_disk_vfs(e->disk),
                             .sync = &e->sync.sync};
}

void rw_sim_env_deinit(struct rw_sim_env *e)
{
    rw_sim_disk_free(e->disk);
}
