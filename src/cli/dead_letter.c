/* Reading dead letters, from a topic and from a log on disk alike. */
#include "cli/dead_letter.h"

#include <string.h>
#include "base/mem.h"
#include "base/units.h"
#include "os/os.h"

#define WAIT_US 200000

int64_t rw_dead_number(struct rw_slice text)
{
    int64_t v;
    struct rw_str s = {(const char *)text.p, (int32_t)(text.n < 32 ? text.n : 0)};
    return text.p && rw_units_parse_int(s, &v) && v >= 0 ? v : -1;
}

bool rw_dead_is(struct rw_slice text, const char *value)
{
    return text.p && text.n == strlen(value) && memcmp(text.p, value, text.n) == 0;
}

static void take_headers(struct rw_dead_letter *l)
{
    struct rw_slice replayed = {NULL, 0};
    const struct {
        const char *key;
        struct rw_slice *to;
    } known[] = {{RW_DLQ_REASON, &l->reason},      {RW_DLQ_CODE, &l->code},
                 {RW_DLQ_TOPIC, &l->from_topic},   {RW_DLQ_PARTITION, &l->from_partition},
                 {RW_DLQ_OFFSET, &l->from_offset}, {RW_DLQ_TIME, &l->time},
                 {RW_DLQ_REPLAYED, &replayed}};
    for (int i = 0; i < l->n_headers; i++)
        for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
            if (rw_str_is(l->headers[i].key, known[k].key))
                *known[k].to = l->headers[i].value;
    l->replayed = rw_dead_number(replayed);
    if (l->replayed < 0)
        l->replayed = 0;
}

/* ---- the place ---- */

static int no_memory(struct rw_cli_client *c)
{
    return rw_client_fail(&c->err, RW_E_NOMEM, "out of memory");
}

static int log_fail(struct rw_cli_client *c, const struct rollway_log *log, int code)
{
    const char *text = rollway_log_error(log);
    return rw_client_fail(&c->err, code, "%s", *text ? text : rollway_strerror(code));
}

static int open_log(struct rw_dead_place *p, struct rollway_log **ret_log)
{
    const struct rollway_log_options options = {
        .size = sizeof(options), .read_only = 1, .must_exist = 1};
    int rc = rollway_log_open(p->log_dir, &options, ret_log);
    return rc ? log_fail(p->client, NULL, rc) : RW_OK;
}

static int log_offsets(struct rw_dead_place *p)
{
    struct rollway_log *log;
    int rc = open_log(p, &log);
    if (rc)
        return rc;
    p->starts[0] = rollway_log_start_offset(log);
    p->ends[0] = rollway_log_end_offset(log);
    rc = rollway_log_close(log);
    return rc ? log_fail(p->client, NULL, rc) : RW_OK;
}

static int make_room(struct rw_dead_place *p, int32_t n)
{
    p->n_partitions = n;
    p->starts = rw_alloc_array((size_t)n + 1, sizeof(*p->starts));
    p->ends = rw_alloc_array((size_t)n + 1, sizeof(*p->ends));
    return p->starts && p->ends ? RW_OK : no_memory(p->client);
}

static int list(struct rw_dead_place *p, struct rw_topic *t, int64_t when, int64_t *ret)
{
    int32_t *all = rw_alloc_array((size_t)p->n_partitions + 1, sizeof(*all));
    if (!all)
        return no_memory(p->client);
    for (int32_t i = 0; i < p->n_partitions; i++)
        all[i] = i;
    int rc = rw_list_offsets(p->client->cluster, t, all, p->n_partitions, when, true, ret,
                             &p->client->err);
    rw_free(all);
    return rc;
}

int rw_dead_open(struct rw_dead_place *p, struct rw_cli_client *client, const char *topic,
                 const char *log_dir)
{
    struct rw_topic *t;
    *p = (struct rw_dead_place){.client = client, .topic = topic, .log_dir = log_dir};
    if (log_dir) {
        int rc = make_room(p, 1);
        return rc ? rc : log_offsets(p);
    }
    int rc = rw_cluster_get_topic(client->cluster, topic, false, &t, &client->err);
    if (!rc)
        rc = make_room(p, t->n_partitions);
    if (!rc)
        rc = list(p, t, RW_OFFSET_EARLIEST, p->starts);
    return rc ? rc : list(p, t, RW_OFFSET_LATEST, p->ends);
}

void rw_dead_close(struct rw_dead_place *p)
{
    rw_free(p->starts);
    rw_free(p->ends);
    p->starts = p->ends = NULL;
}

/* ---- from a range to offsets ---- */

/* times: what was found for a point in time; -1: nothing is that young. */
static int64_t resolve(const struct rw_dead_place *p, int i, struct rw_offset_point point,
                       const int64_t *times, int64_t none)
{
    int64_t at = none, start = p->starts[i], end = p->ends[i];
    if (point.kind == RW_POINT_START)
        at = start;
    else if (point.kind == RW_POINT_END)
        at = end;
    else if (point.kind == RW_POINT_EXACT)
        at = point.value;
    else if (point.kind == RW_POINT_FROM_START)
        at = rw_offset_add(start, point.value);
    else if (point.kind == RW_POINT_FROM_END)
        at = end - start < point.value ? start : end - point.value;
    else if (point.kind == RW_POINT_TIME)
        at = times[i] < 0 ? end : times[i];
    return at < start ? start : at > end ? end : at;
}

static int find_times(struct rw_dead_place *p, struct rw_offset_point point, int64_t *ret)
{
    struct rw_topic *t;
    struct rollway_log *log;
    if (point.kind != RW_POINT_TIME)
        return RW_OK;
    if (!p->log_dir) {
        int rc = rw_cluster_get_topic(p->client->cluster, p->topic, false, &t, &p->client->err);
        return rc ? rc : list(p, t, point.value, ret);
    }
    int rc = open_log(p, &log);
    if (rc)
        return rc;
    ret[0] = -1;
    rc = rollway_log_find_time(log, point.value, ret);
    rc = rc && rc != ROLLWAY_E_NOT_FOUND ? log_fail(p->client, log, rc) : RW_OK;
    (void)rollway_log_close(log); /* read-only: nothing is at stake */
    return rc;
}

/* ---- reading ---- */

struct reading {
    struct rw_dead_place *place;
    int64_t *from, *to;
    struct rw_record_header *headers; /* room for RW_DEAD_HEADERS_MAX */
    int (*each)(void *arg, const struct rw_dead_letter *letter);
    void *arg;
};

static int give(struct reading *r, struct rw_dead_letter *l)
{
    l->topic = r->place->topic;
    l->headers = r->headers;
    take_headers(l);
    return rw_cli_interrupted() ? RW_E_CANCELED : r->each(r->arg, l);
}

static int give_consumed(struct reading *r, const struct rw_consumed *c)
{
    struct rw_slice encoded = c->record.headers;
    struct rw_dead_letter l = {.partition = c->partition->partition,
                               .offset = c->record.offset,
                               .timestamp = c->record.timestamp,
                               .key = c->record.key,
                               .value = c->record.value};
    while (l.n_headers < RW_DEAD_HEADERS_MAX &&
           rw_record_next_header(&encoded, &r->headers[l.n_headers]) == 1)
        l.n_headers++;
    if (encoded.n)
        return rw_client_fail(&r->place->client->err, RW_E_TOO_BIG,
                              "%s-%d offset %lld: more than %d headers", r->place->topic,
                              l.partition, (long long)l.offset, RW_DEAD_HEADERS_MAX);
    return give(r, &l);
}

static int read_topic(struct reading *r)
{
    struct rw_cli_client *c = r->place->client;
    struct rw_consumer_options o;
    struct rw_consumer *consumer;
    struct rw_consumed got;
    int open = 0;
    rw_consumer_options_init(&o);
    o.read_committed = true; /* what a transaction took back is no dead letter */
    if (rw_consumer_new(c->cluster, &o, &consumer) != RW_OK)
        return no_memory(c);
    int rc = RW_OK;
    for (int32_t i = 0; i < r->place->n_partitions && !rc; i++) {
        rc = rw_consumer_assign(consumer, r->place->topic, i, r->from[i], &c->err);
        if (!rc && r->from[i] >= r->to[i])
            rw_consumer_pause(consumer, i);
        else
            open++;
    }
    while (!rc && open > 0) {
        int n = rw_consumer_next(consumer, WAIT_US, &got, &c->err);
        if (n < 0)
            rc = n;
        else if (n == 0 && rw_cli_interrupted())
            rc = RW_E_CANCELED;
        else if (n == 0 && c->cluster->deadline_us <= rw_cluster_now(c->cluster))
            rc = rw_client_fail(&c->err, RW_E_TIMEOUT, "the time limit passed");
        else if (n == 1 && got.record.offset < r->to[got.i])
            rc = give_consumed(r, &got);
        int32_t first = n == 1 ? got.i : 0, last = n == 1 ? got.i + 1 : r->place->n_partitions;
        for (int32_t i = first; i < last; i++) {
            const struct rw_consumer_partition *p = rw_consumer_partition(consumer, i);
            if (p->paused || p->position < r->to[i])
                continue;
            rw_consumer_pause(consumer, i);
            open--;
        }
    }
    rw_consumer_free(consumer);
    return rc;
}

static int give_stored(struct reading *r, const struct rollway_record *record)
{
    struct rw_dead_letter l = {.offset = record->offset,
                               .timestamp = record->timestamp_ms,
                               .key = rw_slice(record->key, record->key_size),
                               .value = rw_slice(record->value, record->value_size)};
    if (record->headers_count > RW_DEAD_HEADERS_MAX)
        return rw_client_fail(&r->place->client->err, RW_E_TOO_BIG,
                              "%s offset %lld: more than %d headers", r->place->log_dir,
                              (long long)l.offset, RW_DEAD_HEADERS_MAX);
    for (size_t i = 0; i < record->headers_count; i++) {
        const struct rollway_header *h = &record->headers[i];
        r->headers[l.n_headers++] = (struct rw_record_header){{h->key, (int32_t)h->key_size},
                                                              rw_slice(h->value, h->value_size)};
    }
    return give(r, &l);
}

static int read_log(struct reading *r)
{
    struct rollway_log *log;
    struct rollway_cursor *cursor = NULL;
    struct rollway_record record;
    int rc = open_log(r->place, &log);
    if (rc)
        return rc;
    rc = rollway_cursor_new(log, r->from[0], &cursor);
    rc = rc ? log_fail(r->place->client, log, rc) : RW_OK;
    while (!rc && rollway_cursor_offset(cursor) < r->to[0]) {
        int n = rollway_cursor_next(cursor, &record);
        if (n <= 0) {
            rc = n ? log_fail(r->place->client, log, n) : RW_OK;
            break;
        }
        rc = record.offset < r->to[0] ? give_stored(r, &record) : 1;
    }
    rollway_cursor_free(cursor);
    (void)rollway_log_close(log); /* read-only: nothing is at stake */
    return rc;
}

int rw_dead_read(struct rw_dead_place *p, const struct rw_offset_range *range,
                 int (*each)(void *arg, const struct rw_dead_letter *letter), void *arg)
{
    size_t n = (size_t)p->n_partitions;
    struct reading r = {.place = p, .each = each, .arg = arg};
    int64_t *work = rw_alloc_array(n * 4 + 1, sizeof(*work));
    r.headers = rw_alloc_array(RW_DEAD_HEADERS_MAX, sizeof(*r.headers));
    int rc = work && r.headers ? RW_OK : no_memory(p->client);
    if (!rc)
        rc = find_times(p, range->from, work + 2 * n);
    if (!rc)
        rc = find_times(p, range->to, work + 3 * n);
    for (int32_t i = 0; i < p->n_partitions && !rc; i++) {
        work[i] = resolve(p, i, range->from, work + 2 * n, p->starts[i]);
        work[n + (size_t)i] = resolve(p, i, range->to, work + 3 * n, p->ends[i]);
    }
    r.from = work;
    r.to = work + n;
    if (!rc)
        rc = p->log_dir ? read_log(&r) : read_topic(&r);
    rw_free(work);
    rw_free(r.headers);
    return rc == 1 ? RW_OK : rc;
}
