/*
 * Each thread but the appender's own has a piece: from and to where in the journal, and lines of its own. A piece is handed over, and back,
 * under `lock`; in between nobody else looks at it. The journal stays as it is meanwhile, for the appender's lock is held.
 */
#include "logger/consumers.h"

#include <string.h>
#include "base/mem.h"
#include "logger/process.h"
#include "os/task.h"

struct piece {
    struct rw_lg_consumers *all;
    struct rw_lg_appender lines; /* only what makes lines of records, and the lines */
    pthread_t thread;
    uint64_t from, to;
    bool busy;
};

struct rw_lg_consumers {
    pthread_mutex_t lock;
    pthread_cond_t begin, done;
    bool stop;
    unsigned n; /* pieces; the appender's is not among them */
    struct piece pieces[];
};

static void take_range(struct rw_lg_appender *a, uint64_t at, uint64_t end)
{
    while (at < end) {
        const struct rw_lg_entry *e = rw_lg_journal(a->map, at);
        at += e->size & ~RW_LG_PAD;
        if (!(e->size & RW_LG_PAD) && rw_lg_appender_wants(a, e))
            rw_lg_appender_take(a, e);
    }
}

static void *run(void *arg)
{
    struct piece *p = arg;
    struct rw_lg_consumers *c = p->all;
    rw_os_task_name("rollway-format");
    pthread_mutex_lock(&c->lock);
    while (!c->stop) {
        if (!p->busy) {
            pthread_cond_wait(&c->begin, &c->lock);
            continue;
        }
        pthread_mutex_unlock(&c->lock);
        take_range(&p->lines, p->from, p->to);
        pthread_mutex_lock(&c->lock);
        p->busy = false;
        pthread_cond_signal(&c->done);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

static int start(struct rw_lg_consumers *c, const struct rw_lg_appender *a)
{
    struct piece *p = &c->pieces[c->n];
    p->all = c;
    p->lines = (struct rw_lg_appender){.o = a->o,
                                       .map = a->map,
                                       .slot = a->slot,
                                       .sink = a->sink,
                                       .known = {.map = a->map},
                                       .cap = a->cap};
    p->lines.text = rw_alloc(p->lines.cap);
    if (!p->lines.text)
        return RW_E_NOMEM;
    int rc = rw_lg_start_thread(&p->thread, run, p);
    if (rc)
        rw_free(p->lines.text);
    else
        c->n++;
    return rc;
}

int rw_lg_consumers_new(const struct rw_lg_appender *a, unsigned n,
                        struct rw_lg_consumers **ret_consumers)
{
    struct rw_lg_consumers *c = rw_zalloc(sizeof(*c) + (n - 1) * sizeof(c->pieces[0]));
    int rc = RW_OK;
    if (!c)
        return RW_E_NOMEM;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->begin, NULL);
    pthread_cond_init(&c->done, NULL);
    while (!rc && c->n < n - 1)
        rc = start(c, a);
    if (rc)
        rw_lg_consumers_free(c);
    else
        *ret_consumers = c;
    return rc;
}

void rw_lg_consumers_free(struct rw_lg_consumers *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_broadcast(&c->begin);
    pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < c->n; i++) {
        pthread_join(c->pieces[i].thread, NULL);
        rw_lg_knowledge_deinit(&c->pieces[i].lines.known);
        rw_free(c->pieces[i].lines.text);
        rw_free(c->pieces[i].lines.index);
    }
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->begin);
    pthread_cond_destroy(&c->done);
    rw_free(c);
}

/* The first record at or behind at + span. */
static uint64_t cut(const struct rw_lg_appender *a, uint64_t at, uint64_t head)
{
    uint64_t end = at + RW_LG_CONSUMERS_SPAN;
    while (at < head && at < end)
        at += rw_lg_journal(a->map, at)->size & ~RW_LG_PAD;
    return at;
}

uint64_t rw_lg_consumers_take(struct rw_lg_consumers *c, struct rw_lg_appender *a, uint64_t at,
                              uint64_t head)
{
    uint64_t own = cut(a, at, head), end = own;
    unsigned n = 0;
    pthread_mutex_lock(&c->lock);
    for (; n < c->n && end < head; n++) {
        c->pieces[n].from = end;
        c->pieces[n].to = end = cut(a, end, head);
        c->pieces[n].busy = true;
    }
    pthread_cond_broadcast(&c->begin);
    pthread_mutex_unlock(&c->lock);
    take_range(a, at, own);
    for (unsigned i = 0; i < n; i++) {
        pthread_mutex_lock(&c->lock);
        while (c->pieces[i].busy)
            pthread_cond_wait(&c->done, &c->lock);
        pthread_mutex_unlock(&c->lock);
        rw_lg_appender_join(a, &c->pieces[i].lines);
    }
    return end;
}
