/*
 * rollway consume: records of topics to standard output. Output is gathered and written in large pieces,
 * but always before waiting for more, so that a follower sees each record at once.
 */
#include "cli/commands.h"

#include <string.h>
#include "base/mem.h"
#include "cli/offsets.h"
#include "cli/progress.h"
#include "cli/ranges.h"
#include "cli/record_json.h"
#include "client/consumer.h"
#include "os/os.h"

#define FLUSH_AT (256 * 1024)
#define WAIT_US  200000

struct consume {
    struct rw_cli *cli;
    struct rw_cli_client client;
    struct rw_consumer *consumer;
    struct rw_format *format; /* NULL: JSON */
    struct rw_offset_range range;
    struct rw_int_list partitions; /* of -p; empty: all */
    bool committed, exit_at_end, meta_only;
    unsigned indent;
    int64_t limit; /* of records; -1: none */
    int64_t *ends; /* per assigned partition; INT64_MAX: none */
    int n_open;    /* partitions that have not come to their end */
    int64_t records, bytes, total;
    struct rw_progress progress;
};

/* ---- from -o to offsets ---- */

static int list(struct consume *c, struct rw_topic *t, const int32_t *p, int n, int64_t when,
                int64_t *ret)
{
    return rw_list_offsets(c->client.cluster, t, p, n, when, c->committed, ret, &c->client.err);
}

/* One point for n partitions. starts and ends are known. */
static int resolve(struct consume *c, struct rw_offset_point point, struct rw_topic *t,
                   const int32_t *p, int n, const int64_t *starts, const int64_t *ends,
                   int64_t *ret)
{
    if (point.kind == RW_POINT_TIME) {
        int rc = list(c, t, p, n, point.value, ret);
        for (int i = 0; i < n && rc == RW_OK; i++)
            ret[i] = ret[i] < 0 ? ends[i] : ret[i];
        return rc;
    }
    for (int i = 0; i < n; i++) {
        switch (point.kind) {
        case RW_POINT_START:
            ret[i] = starts[i];
            break;
        case RW_POINT_END:
            ret[i] = ends[i];
            break;
        case RW_POINT_EXACT:
            ret[i] = point.value;
            break;
        case RW_POINT_FROM_START:
            ret[i] = rw_offset_add(starts[i], point.value);
            break;
        case RW_POINT_FROM_END:
            ret[i] = ends[i] - point.value < starts[i] ? starts[i] : ends[i] - point.value;
            break;
        case RW_POINT_NONE:
        case RW_POINT_TIME:
            ret[i] = c->exit_at_end ? ends[i] : INT64_MAX;
            break;
        }
    }
    return RW_OK;
}

/* work: room for 4 * n offsets. */
static int assign_partitions(struct consume *c, struct rw_topic *t, const int32_t *p, int n,
                             int64_t *work)
{
    int64_t *starts = work, *ends = work + n, *from = work + 2 * n, *to = work + 3 * n;
    int rc = list(c, t, p, n, RW_OFFSET_EARLIEST, starts);
    if (rc == RW_OK)
        rc = list(c, t, p, n, RW_OFFSET_LATEST, ends);
    if (rc == RW_OK)
        rc = resolve(c, c->range.from, t, p, n, starts, ends, from);
    if (rc == RW_OK)
        rc = resolve(c, c->range.to, t, p, n, starts, ends, to);
    for (int i = 0; i < n && rc == RW_OK; i++) {
        int at = rw_consumer_count(c->consumer);
        int64_t *grown = rw_realloc_array(c->ends, (size_t)at + 1, sizeof(*grown));
        if (!grown)
            return rw_client_fail(&c->client.err, RW_E_NOMEM, "out of memory");
        c->ends = grown;
        if (c->exit_at_end && to[i] > ends[i])
            to[i] = ends[i];
        grown[at] = to[i];
        rc = rw_consumer_assign(c->consumer, t->name, p[i], from[i], &c->client.err);
        if (rc == RW_OK && from[i] >= to[i])
            rw_consumer_pause(c->consumer, at);
        else if (rc == RW_OK)
            c->n_open++;
        if (to[i] != INT64_MAX && from[i] < to[i])
            c->total = rw_offset_add(c->total, to[i] - from[i]);
    }
    return rc;
}

static int assign_topic(struct consume *c, const char *name)
{
    struct rw_topic *t;
    int rc = rw_cluster_get_topic(c->client.cluster, name, false, &t, &c->client.err);
    if (rc != RW_OK)
        return rc;
    int n = c->partitions.n ? c->partitions.n : t->n_partitions;
    int32_t *p = rw_alloc_array((size_t)n + 1, sizeof(*p));
    int64_t *work = rw_alloc_array((size_t)n * 4 + 1, sizeof(*work));
    for (int i = 0; p && i < n; i++)
        p[i] = c->partitions.n ? c->partitions.v[i] : i;
    rc = p && work ? assign_partitions(c, t, p, n, work)
                   : rw_client_fail(&c->client.err, RW_E_NOMEM, "out of memory");
    rw_free(p);
    rw_free(work);
    return rc;
}

/* ---- the loop ---- */

static void show(struct consume *c, const struct rw_consumed *r)
{
    struct rw_format_record f = {.topic = r->partition->topic,
                                 .partition = r->partition->partition,
                                 .record = &r->record,
                                 .batch = r->batch,
                                 .log_start_offset = r->partition->log_start_offset,
                                 .last_stable_offset = r->partition->last_stable_offset,
                                 .high_watermark = r->partition->high_watermark,
                                 .number = c->records};
    if (c->format)
        rw_format_render(c->format, &f, rw_cli_out(c->cli));
    else
        rw_record_json(rw_cli_out(c->cli), &f, c->meta_only, c->indent);
}

static void check_end(struct consume *c, int i)
{
    const struct rw_consumer_partition *p = rw_consumer_partition(c->consumer, i);
    if (p->paused || p->position < c->ends[i])
        return;
    rw_consumer_pause(c->consumer, i);
    c->n_open--;
}

/* One step. RW_OK: go on. */
static int step(struct consume *c)
{
    struct rw_consumed r;
    if (!rw_consumer_has_buffered(c->consumer) && rw_cli_flush(c->cli) != RW_OK)
        return RW_E_IO;
    int rc = rw_consumer_next(c->consumer, WAIT_US, &r, &c->client.err);
    if (rc < 0)
        return rc;
    if (rc == 0) {
        for (int i = 0; i < rw_consumer_count(c->consumer); i++)
            check_end(c, i);
        if (c->client.cluster->deadline_us <= rw_cluster_now(c->client.cluster))
            return rw_client_fail(&c->client.err, RW_E_TIMEOUT, "the time limit passed");
        return rw_cli_interrupted() ? RW_E_CANCELED : RW_OK;
    }
    if (r.record.offset < c->ends[r.i]) {
        show(c, &r);
        c->records++;
        c->bytes += (int64_t)(r.record.key.n + r.record.value.n);
    }
    check_end(c, r.i);
    if (rw_cli_out(c->cli)->n >= FLUSH_AT && rw_cli_flush(c->cli) != RW_OK)
        return RW_E_IO;
    if (c->records % 1024 == 0) {
        rw_progress_update(&c->progress, c->records, c->bytes, rw_progress_now());
        if (rw_cli_interrupted())
            return RW_E_CANCELED;
        if (c->client.cluster->deadline_us != INT64_MAX &&
            c->client.cluster->deadline_us <= rw_cluster_now(c->client.cluster))
            return rw_client_fail(&c->client.err, RW_E_TIMEOUT, "the time limit passed");
    }
    return RW_OK;
}

static int transfer(struct consume *c)
{
    struct rw_name_list topics = {NULL, 0};
    int rc = rw_cli_topics(&c->client, 0, rw_cli_has(c->cli, "regex"), false, &topics);
    if (rc == RW_EXIT_OK && topics.n == 0)
        rc = rw_cli_fail(c->cli, RW_EXIT_NOT_FOUND, "rollway topic list shows the topics",
                         "no topic matches");
    int code = RW_OK;
    for (int i = 0; rc == RW_EXIT_OK && code == RW_OK && i < topics.n; i++)
        code = assign_topic(c, topics.v[i]);
    rw_name_list_deinit(&topics);
    if (rc != RW_EXIT_OK)
        return rc;
    rw_progress_start(&c->progress, c->cli, "records", c->limit >= 0 ? c->limit : c->total);
    /* On a terminal the records themselves are the progress. */
    c->progress.on &= !rw_cli_stdout_is_terminal(c->cli);
    while (code == RW_OK && c->n_open > 0 && (c->limit < 0 || c->records < c->limit))
        code = step(c);
    rw_progress_end(&c->progress);
    rw_cli_flush(c->cli);
    if (code == RW_OK && c->records == 0)
        rw_cli_note(c->cli, "no records there; echo hello | rollway produce %s writes one",
                    rw_cli_operand(c->cli, 0));
    return code == RW_OK ? RW_EXIT_OK : rw_cli_client_fail(&c->client, code);
}

/* ---- options ---- */

static int take_options(struct consume *c)
{
    char error[160] = "";
    const char *offset = rw_cli_string(c->cli, "offset", "start");
    const char *format = rw_cli_string(c->cli, "format", "%v\\n");
    const char *partitions = rw_cli_string(c->cli, "partitions", NULL);
    bool pretty = rw_cli_has(c->cli, "pretty-print");
    bool json = rw_cli_json(c->cli) || pretty || strcmp(format, "json") == 0 ||
                rw_cli_has(c->cli, "meta-only");
    c->indent = pretty ? 2 : 0;
    c->committed = rw_cli_has(c->cli, "read-committed");
    c->meta_only = rw_cli_has(c->cli, "meta-only");
    c->exit_at_end = rw_cli_has(c->cli, "exit");
    c->limit = rw_cli_int(c->cli, "num", -1);
    if (rw_cli_int(c->cli, "num", 0) < 0)
        return rw_cli_usage(c->cli, "--num is a number of records: 0 or more");
    if (strcmp(offset, "stored") == 0)
        return rw_cli_usage(c->cli, "stored offsets belong to a group, and there is none");
    if (!rw_parse_offsets(offset, rw_wall_ms(rw_os_env()->clock), &c->range))
        return rw_cli_usage(c->cli,
                            "\"%s\" is no offset: start, end, :end, 47, +10, -10, 5:10, @-1h, "
                            "@2026-01-31, @t1:t2",
                            offset);
    if (partitions && !rw_parse_partitions(partitions, &c->partitions))
        return rw_cli_usage(c->cli, "\"%s\" is no list of partitions: 0,2,5-7", partitions);
    if (json)
        return RW_EXIT_OK;
    if (rw_format_parse(format, rw_cli_has(c->cli, "kcat"), &c->format, error) != RW_OK ||
        rw_format_check_output(c->format, error) != RW_OK)
        return rw_cli_usage(c->cli, "%s", error[0] ? error : "out of memory");
    return RW_EXIT_OK;
}

static int run(struct rw_cli *cli)
{
    struct consume c = {.cli = cli};
    struct rw_consumer_options o;
    int rc = take_options(&c);
    if (rc == RW_EXIT_OK)
        rc = rw_cli_client_init(&c.client, cli, 0);
    rw_consumer_options_init(&o);
    o.read_committed = c.committed;
    o.control_records = rw_cli_has(cli, "print-control-records");
    if (rc == RW_EXIT_OK && rw_consumer_new(c.client.cluster, &o, &c.consumer) != RW_OK)
        rc = rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "out of memory");
    if (rc == RW_EXIT_OK)
        rc = transfer(&c);
    rw_consumer_free(c.consumer);
    rw_cli_client_deinit(&c.client);
    rw_format_free(c.format);
    rw_free(c.partitions.v);
    rw_free(c.ends);
    return rc;
}

static const struct rw_option options[] = {
    {"format", 'f', RW_OPT_STRING, "FORMAT", "how to print a record (default %v\\n), or json",
     "json"},
    {"offset", 'o', RW_OPT_STRING, "OFFSET", "where to begin and end: see below (default start)",
     "start|end|:end"},
    {"exit", 'e', RW_OPT_FLAG, NULL, "exit at the end of what is there now", NULL},
    {"num", 'n', RW_OPT_INT, "N", "exit after N records", NULL},
    {"partitions", 'p', RW_OPT_STRING, "LIST", "only these partitions, e.g. 0,2,5-7", NULL},
    {"regex", 'r', RW_OPT_FLAG, NULL, "TOPIC is a regular expression", NULL},
    {"read-committed", 0, RW_OPT_FLAG, NULL, "no records of open or aborted transactions", NULL},
    {"meta-only", 0, RW_OPT_FLAG, NULL, "JSON with sizes instead of keys and values", NULL},
    {"pretty-print", 0, RW_OPT_FLAG, NULL, "JSON over several lines", NULL},
    {"print-control-records", 0, RW_OPT_FLAG, NULL, "print transaction markers too", NULL},
    {"kcat", 0, RW_OPT_FLAG, NULL, "read -f with kcat's letters: %s %S %T", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

static const struct rw_example examples[] = {
    {"rollway consume greetings", "all records, then what comes"},
    {"rollway consume greetings -e -f '%t-%p@%o %k=%v\\n'",
     "with topic, partition, offset, key; then exit"},
    {"rollway consume logs -o -10 -e", "the last ten of each partition"},
    {"rollway consume logs -o @-1h --json", "the last hour and on, as JSON lines"},
    {NULL, NULL}};

const struct rw_command rw_cmd_consume = {
    .name = "consume",
    .aliases = "topic consume",
    .operands = "TOPIC...",
    .operands_complete = "topic",
    .operands_min = 1,
    .operands_max = -1,
    .summary = "print the records of topics",
    .text =
        "Offsets (-o) for each partition:\n"
        "\n"
        "    start, end         the oldest record, what comes from now on\n"
        "    :end               from the oldest to the end as it is now\n"
        "    47, 47:            from offset 47\n"
        "    +10, -10           10 after the oldest, 10 before the end\n"
        "    5:10, :10          from 5, or the oldest, up to 10 (without it)\n"
        "    @t, @:t, @t1:t2    by time: from t, up to t, between\n"
        "\n"
        "A time is in milliseconds (13 digits) or seconds, a date (2026-01-31), RFC 3339, or "
        "before now "
        "(-48h). kcat's beginning, s@ms and e@ms are understood.\n"
        "\n"
        "The format (-f) holds fields and text: %t topic, %p partition, %o offset, %k key, %v "
        "value, %d "
        "timestamp, %e leader epoch, %h{%k=%v } headers, %T %K %V lengths, %H number of headers, "
        "%x %y "
        "producer id and epoch, %a{compression}, %[ %| %] log start, last stable offset and high "
        "watermark, %i records so far, %% a percent sign; \\t \\n \\r \\\\ \\xNN.\n"
        "\n"
        "In braces after a text: hex, base64, base64raw, json, unpack[>iqs]. After a number: "
        "hex32, big32, "
        "little64 and "
        "so on, byte, bool; after %d also strftime[%F %T]. rollway-format(7) tells all of it.\n"
        "\n"
        "With --json each record is a line: topic, partition, offset, timestamp, timestamp_type, "
        "key, "
        "value, headers. Bytes that are not UTF-8 are {\"base64\":\"...\"}.",
    .options = options,
    .examples = examples,
    .run = run,
};
