/* Threads that run an event loop. Small stacks: handlers keep what is large in arenas. */
#include "os/loop.h"

#include <pthread.h>
#include <stdio.h>
#include "base/mem.h"

/* Touched pages count, not this; but a bound keeps a runaway recursion from looking like a leak. */
#define STACK_BYTES (1024u * 1024u)

struct rw_thread {
    pthread_t id;
    struct rw_loop *loop;
    char name[16];
};

static void *run(void *arg)
{
    struct rw_thread *t = arg;
    pthread_setname_np(pthread_self(), t->name);
    rw_os_loop_run(t->loop);
    return NULL;
}

int rw_os_thread_start(struct rw_loop *l, const char *name, struct rw_thread **ret_thread)
{
    struct rw_thread *t = rw_zalloc(sizeof(*t));
    if (!t)
        return RW_E_NOMEM;
    t->loop = l;
    snprintf(t->name, sizeof(t->name), "%s", name);
    pthread_attr_t attr;
    int rc = pthread_attr_init(&attr);
    if (rc == 0) {
        pthread_attr_setstacksize(&attr, STACK_BYTES);
        rc = pthread_create(&t->id, &attr, run, t);
        pthread_attr_destroy(&attr);
    }
    if (rc) {
        rw_free(t);
        return RW_E_LIMIT;
    }
    *ret_thread = t;
    return RW_OK;
}

void rw_os_thread_join(struct rw_thread *t)
{
    if (!t)
        return;
    pthread_join(t->id, NULL);
    rw_free(t);
}
