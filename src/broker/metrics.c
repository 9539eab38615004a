/*
 * Counting: plain words in the shard's own memory. Text is metrics_render.c's business.
 *
 * Topics are kept in a hash table with a limit, so that a client that invents topic names can not fill
 * the memory with counters.
 */
#include "broker/metrics.h"

#include <string.h>
#include "base/mem.h"
#include "broker/metrics_private.h"

struct rw_metrics *rw_metrics_new(void)
{
    struct rw_metrics *m = rw_zalloc(sizeof(*m));
    if (!m)
        return NULL;
    for (int i = 0; i < RW_METRICS_TOPIC_CHAINS; i++)
        rw_list_init(&m->topics[i]);
    rw_arena_init(&m->names, 0);
    return m;
}

void rw_metrics_free(struct rw_metrics *m)
{
    if (!m)
        return;
    for (int i = 0; i < RW_METRICS_TOPIC_CHAINS; i++) {
        struct rw_link *it;
        while ((it = rw_list_pop(&m->topics[i])))
            rw_free(RW_CONTAINER(it, struct rw_topic_metrics, link));
    }
    rw_arena_deinit(&m->names);
    rw_free(m->rows);
    rw_free(m->brokers);
    rw_free(m);
}

void rw_metric_add(struct rw_metrics *m, enum rw_metric which, int64_t n)
{
    m->words[which] += n;
}

void rw_metric_set(struct rw_metrics *m, enum rw_metric which, int64_t v)
{
    m->words[which] = v;
}

static unsigned bucket_of(int64_t us)
{
    if (us <= 16)
        return 0;
    unsigned k = 64u - (unsigned)__builtin_clzll((uint64_t)us - 1) - 4; /* us <= 16 << k */
    return k < RW_HIST_BUCKETS - 1 ? k : RW_HIST_BUCKETS - 1;
}

static void hist_add(struct rw_hist *h, int64_t us, uint64_t n)
{
    if (us < 0)
        us = 0;
    h->bucket[bucket_of(us)] += n;
    h->sum_us += (uint64_t)us * n;
}

void rw_metric_requests(struct rw_metrics *m, int16_t api_key, int64_t latency_us, uint64_t n)
{
    if (api_key >= 0 && api_key < RW_METRICS_APIS)
        hist_add(&m->latency[api_key], latency_us, n);
}

void rw_metric_flush(struct rw_metrics *m, int64_t latency_us)
{
    m->words[RW_METRIC_FLUSHES]++;
    hist_add(&m->flush, latency_us, 1);
}

static void add_error(struct rw_metrics *m, int16_t api_key, int16_t error, uint64_t n)
{
    uint32_t i = 0;
    while (i < m->n_errors && (m->errors[i].api_key != api_key || m->errors[i].error != error))
        i++;
    if (i == m->n_errors) {
        if (i == RW_METRICS_ERRORS_MAX) {
            m->errors_uncounted += n;
            return;
        }
        m->errors[m->n_errors++] = (struct rw_error_count){api_key, error, 0};
    }
    m->errors[i].count += n;
}

void rw_metric_error(struct rw_metrics *m, int16_t api_key, int16_t error)
{
    if (error)
        add_error(m, api_key, error, 1);
}

static struct rw_link *chain_of(struct rw_metrics *m, const char *topic)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (const char *p = topic; *p; p++)
        h = (h ^ (uint8_t)*p) * 16777619u;
    return &m->topics[h % RW_METRICS_TOPIC_CHAINS];
}

struct rw_topic_metrics *rw_metrics_topic(struct rw_metrics *m, const char *topic)
{
    struct rw_link *chain = chain_of(m, topic);
    RW_LIST_EACH (it, chain) {
        struct rw_topic_metrics *t = RW_CONTAINER(it, struct rw_topic_metrics, link);
        if (!strcmp(t->name, topic))
            return t;
    }
    if (m->n_topics == RW_METRICS_TOPICS_MAX)
        return NULL;
    size_t n = strlen(topic) + 1;
    struct rw_topic_metrics *t = rw_zalloc(sizeof(*t) + n);
    if (!t)
        return NULL;
    memcpy(t->name, topic, n);
    rw_list_push(chain, &t->link);
    m->n_topics++;
    return t;
}

void rw_metrics_topic_forget(struct rw_metrics *m, const char *topic)
{
    struct rw_link *chain = chain_of(m, topic);
    RW_LIST_EACH (it, chain) {
        struct rw_topic_metrics *t = RW_CONTAINER(it, struct rw_topic_metrics, link);
        if (strcmp(t->name, topic))
            continue;
        rw_list_remove(&t->link);
        rw_free(t);
        m->n_topics--;
        return;
    }
}

static void hist_merge(struct rw_hist *sum, const struct rw_hist *from)
{
    for (int i = 0; i < RW_HIST_BUCKETS; i++)
        sum->bucket[i] += from->bucket[i];
    sum->sum_us += from->sum_us;
}

int rw_metrics_merge(struct rw_metrics *sum, const struct rw_metrics *from)
{
    for (int i = 0; i < RW_METRIC_COUNT; i++)
        sum->words[i] += from->words[i];
    for (int i = 0; i < RW_METRICS_APIS; i++)
        hist_merge(&sum->latency[i], &from->latency[i]);
    hist_merge(&sum->flush, &from->flush);
    for (uint32_t i = 0; i < from->n_errors; i++)
        add_error(sum, from->errors[i].api_key, from->errors[i].error, from->errors[i].count);
    sum->errors_uncounted += from->errors_uncounted;
    for (int i = 0; i < RW_METRICS_TOPIC_CHAINS; i++)
        RW_LIST_EACH (it, &from->topics[i]) {
            const struct rw_topic_metrics *t = RW_CONTAINER(it, struct rw_topic_metrics, link);
            struct rw_topic_metrics *to = rw_metrics_topic(sum, t->name);
            if (!to && sum->n_topics < RW_METRICS_TOPICS_MAX)
                return RW_E_NOMEM;
            if (!to)
                continue;
            to->produce_bytes += t->produce_bytes;
            to->fetch_bytes += t->fetch_bytes;
            to->records += t->records;
        }
    return RW_OK;
}
