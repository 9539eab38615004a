/*
 * Worker threads: one pool per class of job, each a queue, a mutex and a condition. A worker is
 * started when a job finds no idle one and the pool is not full; it stays until the end.
 *
 * A submission wakes a worker when there are at least as many waiting as jobs queued, so that two quick
 * ones do not count on the same worker.
 */
#include "os/jobs.h"

#include <pthread.h>
#include "base/assert.h"
#include "base/mem.h"

#define STACK_BYTES (1024u * 1024u)

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct rw_link queue;
    int idle, queued, running, max;
    bool ending;
    pthread_t *ids;
    const char *name;
};

struct os_jobs {
    struct rw_jobs base;
    struct pool pools[RW_JOB_CLASSES];
};

static void finished(struct rw_loop *loop, struct rw_post *p)
{
    (void)loop;
    struct rw_job *job = RW_CONTAINER(p, struct rw_job, post);
    job->done(job);
}

static void *worker(void *arg)
{
    struct pool *p = arg;
    pthread_setname_np(pthread_self(), p->name);
    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct rw_link *it = rw_list_pop(&p->queue);
        if (it) {
            struct rw_job *job = RW_CONTAINER(it, struct rw_job, link);
            p->queued--;
            pthread_mutex_unlock(&p->lock);
            job->work(job);
            rw_loop_post(job->loop, &job->post);
            pthread_mutex_lock(&p->lock);
        } else if (p->ending) {
            break;
        } else {
            p->idle++;
            pthread_cond_wait(&p->work, &p->lock);
            p->idle--;
        }
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* With the lock held. False when the OS refuses a thread. */
static bool start_worker(struct pool *p)
{
    pthread_attr_t attr;
    if (pthread_attr_init(&attr))
        return false;
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    int rc = pthread_create(&p->ids[p->running], &attr, worker, p);
    pthread_attr_destroy(&attr);
    if (rc == 0)
        p->running++;
    return rc == 0;
}

static void submit(struct rw_jobs *j, enum rw_job_class class, struct rw_loop *loop,
                   struct rw_job *job)
{
    struct pool *p = &((struct os_jobs *)(void *)j)->pools[class];
    job->loop = loop;
    job->post.run = finished;
    pthread_mutex_lock(&p->lock);
    rw_list_push(&p->queue, &job->link);
    p->queued++;
    if (p->idle < p->queued && p->running < p->max)
        start_worker(p); /* refused: the workers there are will come to it */
    bool wake = p->idle > 0;
    pthread_mutex_unlock(&p->lock);
    /* Not under the lock: the first thing that the one who wakes up does is to take it. */
    if (wake)
        pthread_cond_signal(&p->work);
}

static const struct rw_jobs_ops ops = {.submit = submit};

static void pool_end(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->running; i++)
        pthread_join(p->ids[i], NULL);
    RW_ASSERT(rw_list_empty(&p->queue));
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    rw_free(p->ids);
}

static int pool_begin(struct pool *p, const char *name, int max)
{
    p->name = name;
    p->max = max > 0 ? max : 1;
    rw_list_init(&p->queue);
    p->ids = rw_alloc_array((size_t)p->max, sizeof(p->ids[0]));
    if (!p->ids)
        return RW_E_NOMEM;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    /* The first worker exists from the start, so that submit() can not be left without one. */
    pthread_mutex_lock(&p->lock);
    bool started = start_worker(p);
    pthread_mutex_unlock(&p->lock);
    if (started)
        return RW_OK;
    pool_end(p);
    return RW_E_LIMIT;
}

int rw_os_jobs_new(const int threads_max[RW_JOB_CLASSES], struct rw_jobs **ret_jobs)
{
    static const char *const names[RW_JOB_CLASSES] = {"rw-sync", "rw-read", "rw-compute",
                                                      "rw-background"};
    struct os_jobs *j = rw_zalloc(sizeof(*j));
    if (!j)
        return RW_E_NOMEM;
    j->base.ops = &ops;
    for (int i = 0; i < RW_JOB_CLASSES; i++) {
        int code = pool_begin(&j->pools[i], names[i], threads_max[i]);
        if (code) {
            while (i-- > 0)
                pool_end(&j->pools[i]);
            rw_free(j);
            return code;
        }
    }
    *ret_jobs = &j->base;
    return RW_OK;
}

void rw_os_jobs_free(struct rw_jobs *jobs)
{
    if (!jobs)
        return;
    struct os_jobs *j = (struct os_jobs *)(void *)jobs;
    for (int i = 0; i < RW_JOB_CLASSES; i++)
        pool_end(&j->pools[i]);
    rw_free(j);
}
