/*
 * rollway dlq replay: dead letters back to where they came from. Sent in rounds: a round is flushed, every letter that was acknowledged is noted,
 * and the note is durable before the next round begins. So a second replay sends nothing again, and one that is killed repeats
 * a round (ROUND letters) at most.
 */
#include "cli/commands.h"

#include <inttypes.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "base/murmur2.h"
#include "cli/dead_places.h"
#include "client/producer.h"
#include "log/path.h"
#include "os/os.h"
#include "os/task.h"

enum { ROUND = 1000, COUNTERS = 256, CONDITIONS = 16, TIMEOUT_MS = 30000 };
#define ROUND_BYTES (8u << 20)

/* A letter on its way: the number-th record of this process to a partition. */
struct sent {
    char topic[250];
    int32_t to_partition;
    int64_t number;
    int32_t partition; /* of the dead letter */
    int64_t offset;
    bool acknowledged;
};

struct counter {
    char topic[250];
    int32_t partition;
    int64_t n;
};

struct replay {
    struct rw_cli *cli;
    struct rw_cli_client *client;
    struct rw_cli_client target; /* what reads and what writes do not share connections */
    struct rw_arena *arena;
    struct rw_producer *producer;
    struct rw_dead_progress progress;
    struct rw_dead_place place;
    struct rw_record_header *headers;
    struct sent *round;
    int n_round;
    size_t round_bytes;
    struct counter *counters;
    int n_counters;
    bool dry, again;
    int64_t from, until, most;
    int64_t done, skipped, without, failed;
    struct rw_client_err why; /* the first failure */
    int code;
};

static int out_of_memory(struct replay *r)
{
    return rw_client_fail(&r->client->err, RW_E_NOMEM, "out of memory");
}

/* ---- which ---- */

/* All conditions of --where hold: NAME=VALUE, the text of a header rollway.dlq.NAME. */
static bool chosen(const struct replay *r, const struct rw_dead_letter *l)
{
    if (l->offset < r->from || l->offset >= r->until)
        return false;
    for (int i = 0; i < rw_cli_list_count(r->cli, "where"); i++) {
        const char *text = rw_cli_list(r->cli, "where", i), *equals = strchr(text, '=');
        size_t n = (size_t)(equals - text), prefix = sizeof(RW_DLQ_PREFIX) - 1;
        bool holds = false;
        for (int k = 0; k < l->n_headers; k++) {
            struct rw_str key = l->headers[k].key;
            if ((size_t)key.n == prefix + n && memcmp(key.p, RW_DLQ_PREFIX, prefix) == 0 &&
                memcmp(key.p + prefix, text, n) == 0)
                holds = rw_dead_is(l->headers[k].value, equals + 1);
        }
        if (!holds)
            return false;
    }
    return true;
}

static int check_conditions(struct rw_cli *cli)
{
    static const char *const known[] = {"reason", "code", "topic", "partition", "offset"};
    for (int i = 0; i < rw_cli_list_count(cli, "where"); i++) {
        const char *text = rw_cli_list(cli, "where", i);
        size_t n = strcspn(text, "=");
        bool fine = false;
        for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
            fine |= strlen(known[k]) == n && memcmp(known[k], text, n) == 0 && text[n] == '=';
        if (!fine)
            return rw_cli_usage(cli,
                                "--where is NAME=VALUE with one of reason, code, topic, partition, "
                                "offset, not \"%s\"",
                                text);
    }
    return RW_EXIT_OK;
}

/* ---- where to ---- */

/* False: it does not say, and its name does not tell. */
static bool target_topic(const struct replay *r, const struct rw_dead_letter *l, char topic[250])
{
    const char *to = rw_cli_string(r->cli, "to", NULL);
    size_t n = strlen(l->topic), suffix = sizeof(RW_DLQ_SUFFIX) - 1;
    if (to)
        return snprintf(topic, 250, "%s", to) < 250;
    if (l->from_topic.p && l->from_topic.n > 0 && l->from_topic.n < 250 &&
        !memchr(l->from_topic.p, 0, l->from_topic.n)) {
        memcpy(topic, l->from_topic.p, l->from_topic.n);
        topic[l->from_topic.n] = 0;
        return true;
    }
    if (l->from_topic.p || n <= suffix || n - suffix >= 250 ||
        !rw_name_ends(l->topic, RW_DLQ_SUFFIX))
        return false;
    memcpy(topic, l->topic, n - suffix);
    topic[n - suffix] = 0;
    return true;
}

/* The one it came from, when the topic has it; else the one of its key, as every producer would choose; else any, but always the same. */
static int32_t target_partition(const struct replay *r, const struct rw_dead_letter *l, int32_t n)
{
    int64_t partition = rw_dead_number(l->from_partition);
    if (!rw_cli_has(r->cli, "to") && partition >= 0 && partition < n)
        return (int32_t)partition;
    if (l->key.p)
        return rw_murmur2_partition(l->key, n);
    return l->partition % n;
}

/* Its own headers, without those of dead letters, and how often it was replayed. count: 24 bytes that stay as long as the headers. */
static size_t target_headers(struct replay *r, const struct rw_dead_letter *l, char count[24])
{
    size_t n = 0, prefix = sizeof(RW_DLQ_PREFIX) - 1;
    for (int i = 0; i < l->n_headers; i++)
        if ((size_t)l->headers[i].key.n < prefix ||
            memcmp(l->headers[i].key.p, RW_DLQ_PREFIX, prefix) != 0)
            r->headers[n++] = l->headers[i];
    int len =
        snprintf(count, 24, "%" PRId64, l->replayed < INT32_MAX ? l->replayed + 1 : INT32_MAX);
    r->headers[n++] =
        (struct rw_record_header){RW_STR_LIT(RW_DLQ_REPLAYED), rw_slice(count, (size_t)len)};
    return n;
}

/* ---- rounds ---- */

static void delivered(void *arg, const struct rw_delivery *d)
{
    struct replay *r = arg;
    if (d->code && !r->code) {
        r->code = d->code;
        r->why = *d->err;
    }
    for (int i = 0; i < r->n_round && !d->code; i++) {
        struct sent *s = &r->round[i];
        if (s->number >= d->first_number && s->number < d->first_number + d->count &&
            s->to_partition == d->partition && strcmp(s->topic, d->topic) == 0)
            s->acknowledged = true;
    }
}

static int64_t *counter_of(struct replay *r, const char *topic, int32_t partition)
{
    for (int i = 0; i < r->n_counters; i++)
        if (r->counters[i].partition == partition && strcmp(r->counters[i].topic, topic) == 0)
            return &r->counters[i].n;
    struct counter *grown =
        rw_realloc_array(r->counters, (size_t)r->n_counters + 1, sizeof(*grown));
    if (!grown)
        return NULL;
    r->counters = grown;
    grown[r->n_counters] = (struct counter){.partition = partition};
    snprintf(grown[r->n_counters].topic, sizeof(grown->topic), "%s", topic);
    return &grown[r->n_counters++].n;
}

/* All of the round is acknowledged or has failed, and what was acknowledged is noted for good. */
static int end_round(struct replay *r)
{
    if (r->n_round == 0)
        return RW_OK;
    int rc = rw_producer_flush(r->producer, &r->client->err), noted = RW_OK;
    for (int i = 0; i < r->n_round && !noted; i++) {
        const struct sent *s = &r->round[i];
        r->done += s->acknowledged;
        r->failed += !s->acknowledged;
        if (s->acknowledged)
            noted = rw_dead_progress_add(&r->progress, s->partition, s->offset);
    }
    r->n_round = 0;
    r->round_bytes = 0;
    if (!noted)
        noted = rw_dead_progress_save(&r->progress);
    if (noted)
        return rw_client_fail(&r->client->err, noted,
                              "what was replayed could not be noted in %s: %s", r->progress.path,
                              rw_code_text(noted));
    if (!rc && r->code) {
        r->client->err = r->why;
        rc = r->code;
    }
    return rc;
}

static int send_letter(struct replay *r, const struct rw_dead_letter *l, const char *topic,
                       int32_t partition)
{
    char count[24];
    struct rw_record record = {.timestamp = l->timestamp, .key = l->key, .value = l->value};
    size_t n = target_headers(r, l, count);
    int64_t *counter = counter_of(r, topic, partition);
    if (!counter)
        return out_of_memory(r);
    struct sent *s = &r->round[r->n_round];
    *s = (struct sent){.to_partition = partition,
                       .number = *counter,
                       .partition = l->partition,
                       .offset = l->offset};
    snprintf(s->topic, sizeof(s->topic), "%s", topic);
    r->n_round++;
    int rc =
        rw_producer_send(r->producer, topic, partition, &record, r->headers, n, &r->client->err);
    if (rc) {
        r->n_round--;
        return rc;
    }
    (*counter)++;
    r->round_bytes += l->key.n + l->value.n;
    return r->n_round == ROUND || r->round_bytes >= ROUND_BYTES ? end_round(r) : RW_OK;
}

static void tell(struct replay *r, const struct rw_dead_letter *l, const char *topic,
                 int32_t partition)
{
    struct rw_buf *out = rw_cli_out(r->cli);
    if (!rw_cli_json(r->cli)) {
        rw_buf_printf(out, "%s-%d offset %" PRId64 " to %s-%d\n", l->topic, l->partition, l->offset,
                      topic, partition);
        return;
    }
    struct rw_json j;
    rw_json_init(&j, out, 0);
    rw_json_object(&j, NULL);
    rw_json_cstr(&j, "topic", l->topic);
    rw_json_int(&j, "partition", l->partition);
    rw_json_int(&j, "offset", l->offset);
    rw_json_cstr(&j, "to_topic", topic);
    rw_json_int(&j, "to_partition", partition);
    rw_json_end(&j);
    rw_buf_add_u8(out, '\n');
}

static int replay_letter(void *arg, const struct rw_dead_letter *l)
{
    struct replay *r = arg;
    struct rw_topic *t;
    char topic[250];
    if (!chosen(r, l))
        return RW_OK;
    if (r->most >= 0 && r->done + r->n_round >= r->most)
        return 1;
    if (!r->again && rw_dead_progress_has(&r->progress, l->partition, l->offset)) {
        r->skipped++;
        return RW_OK;
    }
    if (!target_topic(r, l, topic)) {
        r->without++;
        return RW_OK;
    }
    int rc = rw_cluster_get_topic(r->target.cluster, topic, false, &t, &r->client->err);
    if (rc)
        return rc;
    int32_t partition = target_partition(r, l, t->n_partitions);
    if (r->dry || rw_cli_verbose(r->cli))
        tell(r, l, topic, partition);
    if (r->dry) {
        r->done++;
        return RW_OK;
    }
    return send_letter(r, l, topic, partition);
}

/* ---- removing ---- */

static int remove_from_topic(struct replay *r)
{
    struct rw_topic *t;
    int rc = rw_cluster_get_topic(r->client->cluster, r->place.topic, false, &t, &r->client->err);
    for (int32_t i = 0; !rc && i < r->place.n_partitions && i < t->n_partitions; i++) {
        struct rw_delete_records_request request;
        struct rw_delete_records_request_partition partition = {
            .partition_index = i,
            .offset = rw_dead_progress_until(&r->progress, i, r->place.starts[i])};
        struct rw_delete_records_request_topic topic = {
            .name = rw_str(t->name), .n_partitions = 1, .partitions = &partition};
        void *response;
        if (partition.offset == r->place.starts[i])
            continue;
        rw_delete_records_request_init(&request);
        request.topics = &topic;
        request.n_topics = 1;
        request.timeout_ms = TIMEOUT_MS;
        rw_arena_reset(r->arena);
        rc = rw_cli_client_call(r->client, t->partitions[i].leader, RW_API_DELETE_RECORDS,
                                INT16_MAX, &request, r->arena, &response);
        const struct rw_delete_records_response *m = rc ? NULL : response;
        if (m && m->n_topics == 1 && m->topics[0].n_partitions == 1 &&
            m->topics[0].partitions[0].error_code)
            rc = rw_client_fail_kafka(&r->client->err, m->topics[0].partitions[0].error_code, NULL,
                                      -1, "remove replayed letters");
    }
    return rc;
}

static int remove_from_log(struct replay *r)
{
    const struct rollway_log_options options = {.size = sizeof(options), .must_exist = 1};
    struct rollway_log *log;
    int64_t until = rw_dead_progress_until(&r->progress, 0, r->place.starts[0]);
    int rc = rollway_log_open(r->place.log_dir, &options, &log);
    if (!rc) {
        rc = until > r->place.starts[0] ? rollway_log_trim(log, until) : RW_OK;
        int closed = rollway_log_close(log);
        rc = rc ? rc : closed;
    }
    return rc ? rw_client_fail(&r->client->err, rc, "%s: %s", r->place.log_dir,
                               rollway_strerror(rc))
              : RW_OK;
}

/* ---- the command ---- */

static int make_dir(const char *path)
{
    struct rw_vfs *vfs = rw_os_env()->vfs;
    struct rw_path parent;
    struct rw_stat st;
    int rc = vfs->ops->stat(vfs, path, &st);
    if (rc != RW_E_NOT_FOUND)
        return rc;
    rc = rw_path_parent(&parent, path);
    if (!rc)
        rc = make_dir(parent.s);
    if (!rc)
        rc = vfs->ops->mkdir(vfs, path);
    return rc == RW_E_EXISTS ? RW_OK : rc;
}

/* <state>/dlq/<cluster>/<topic>.<id of the topic>: a topic that is made anew begins anew. Of a log, beside it. */
static int progress_path(struct replay *r, char *ret, size_t size)
{
    char state[512], id[RW_UUID_TEXT_SIZE], cluster[64];
    struct rw_topic *t;
    const char *given = rw_cli_string(r->cli, "progress", NULL);
    int n;
    if (given) {
        n = snprintf(ret, size, "%s", given);
    } else if (r->place.log_dir) {
        n = snprintf(ret, size, "%s.replayed", r->place.log_dir);
    } else {
        int rc = rw_os_state_dir(state, sizeof(state));
        if (rc)
            return rc;
        rc = rw_cluster_get_topic(r->client->cluster, r->place.topic, false, &t, &r->client->err);
        if (rc)
            return rc;
        snprintf(cluster, sizeof(cluster), "%s",
                 r->client->cluster->cluster_id[0] ? r->client->cluster->cluster_id : "cluster");
        for (char *p = cluster; *p; p++)
            if (*p == '/')
                *p = '_';
        rw_uuid_format(t->id, id);
        n = snprintf(ret, size, "%s/dlq/%s/%s.%s", state, cluster, r->place.topic, id);
    }
    return n < 0 || (size_t)n >= size ? RW_E_TOO_BIG : RW_OK;
}

static int open_progress(struct replay *r)
{
    char path[4096];
    struct rw_path dir;
    int rc = progress_path(r, path, sizeof(path));
    if (!rc)
        rc = rw_path_parent(&dir, path);
    if (!rc)
        rc = make_dir(dir.s);
    if (!rc)
        rc = rw_dead_progress_open(&r->progress, path);
    if (rc == RW_E_LOCKED)
        return rw_client_fail(&r->client->err, rc, "another replay of %s is under way",
                              r->place.topic);
    return rc ? rw_client_fail(
                    &r->client->err, rc,
                    "the note of what was replayed, %s: %s (--progress FILE names another)", path,
                    rw_code_text(rc))
              : RW_OK;
}

static void summarize(struct replay *r)
{
    if (rw_cli_json(r->cli)) {
        struct rw_json j;
        rw_json_init(&j, rw_cli_out(r->cli), 0);
        rw_json_object(&j, NULL);
        rw_json_int(&j, r->dry ? "would_replay" : "replayed", r->done);
        rw_json_int(&j, "already_replayed", r->skipped);
        rw_json_int(&j, "without_source", r->without);
        rw_json_int(&j, "failed", r->failed);
        rw_json_end(&j);
        rw_buf_add_u8(rw_cli_out(r->cli), '\n');
        return;
    }
    rw_buf_printf(rw_cli_out(r->cli), "%s %" PRId64 " of %s", r->dry ? "would replay" : "replayed",
                  r->done, r->place.topic);
    if (r->skipped)
        rw_buf_printf(rw_cli_out(r->cli), ", %" PRId64 " were replayed before", r->skipped);
    if (r->without)
        rw_buf_printf(rw_cli_out(r->cli), ", %" PRId64 " do not say where they came from (--to)",
                      r->without);
    if (r->failed)
        rw_buf_printf(rw_cli_out(r->cli), ", %" PRId64 " failed", r->failed);
    rw_buf_add_u8(rw_cli_out(r->cli), '\n');
}

static int replay_place(struct replay *r)
{
    static const struct rw_offset_range all = {.from = {.kind = RW_POINT_START}};
    struct rw_producer_options o;
    rw_producer_options_init(&o);
    o.delivered = delivered;
    o.arg = r;
    /* The log of a spool needs a broker as well: that is where its letters go. */
    int rc = rw_cluster_connect(r->client->cluster, &r->client->err);
    if (!rc)
        rc = open_progress(r);
    if (!rc && rw_producer_new(r->target.cluster, &o, &r->producer) != RW_OK)
        rc = out_of_memory(r);
    if (!rc) {
        rc = rw_dead_read(&r->place, &all, replay_letter, r);
        /* What was sent before a mistake or a signal is seen through, and noted. */
        struct rw_client_err first = r->client->err;
        r->target.dialer.canceled = NULL;
        int ended = end_round(r);
        if (rc)
            r->client->err = first;
        rc = rc ? rc : ended;
        summarize(r);
    }
    if (!rc && rw_cli_has(r->cli, "remove") && !r->dry)
        rc = r->place.log_dir ? remove_from_log(r) : remove_from_topic(r);
    rw_producer_free(r->producer);
    rw_dead_progress_close(&r->progress);
    return rc;
}

static int work(struct rw_cli *cli, struct rw_cli_client *c, struct rw_arena *arena)
{
    struct rw_dead_places places = {.topics = {NULL, 0}};
    struct replay r = {.cli = cli,
                       .client = c,
                       .arena = arena,
                       .dry = rw_cli_has(cli, "dry-run"),
                       .again = rw_cli_has(cli, "again"),
                       .from = rw_cli_int(cli, "from", 0),
                       .until = rw_cli_int(cli, "until", INT64_MAX),
                       .most = rw_cli_int(cli, "num", -1)};
    int exit_code = check_conditions(cli);
    if (!exit_code && (r.from < 0 || r.until < 0))
        exit_code = rw_cli_usage(cli, "--from and --until are offsets: 0 or more");
    if (!exit_code && rw_cli_int(cli, "num", 0) < 0)
        exit_code = rw_cli_usage(cli, "--num is a number of letters: 0 or more");
    if (!exit_code)
        exit_code = rw_cli_client_init(&r.target, cli, 0);
    if (!exit_code)
        exit_code = rw_dead_places(c, &places);
    if (!exit_code && places.topics.n > 1)
        exit_code =
            rw_cli_usage(cli, "%s is there more than once: name one spool", places.topics.v[0]);
    if (exit_code || places.topics.n == 0) {
        rw_cli_client_deinit(&r.target);
        rw_dead_places_deinit(&places);
        return exit_code;
    }
    r.headers = rw_alloc_array(RW_DEAD_HEADERS_MAX + 1, sizeof(*r.headers));
    r.round = rw_alloc_array(ROUND, sizeof(*r.round));
    int rc = r.headers && r.round
                 ? rw_dead_open(&r.place, c, places.topics.v[0], rw_dead_dir(&places, 0))
                 : out_of_memory(&r);
    if (!rc)
        rc = replay_place(&r);
    if (rc)
        exit_code = rw_cli_client_fail(c, rc);
    else if (r.without)
        exit_code = RW_EXIT_PARTLY;
    if (exit_code == RW_EXIT_FAILED && r.done && !r.dry)
        exit_code = RW_EXIT_PARTLY;
    rw_dead_close(&r.place);
    rw_free(r.headers);
    rw_free(r.round);
    rw_free(r.counters);
    rw_cli_client_deinit(&r.target);
    rw_dead_places_deinit(&places);
    return exit_code;
}

static int run(struct rw_cli *cli)
{
    return rw_cli_with_client(cli, 0, work);
}

static const struct rw_option options[] = {
    {"to", 0, RW_OPT_STRING, "TOPIC", "to this topic instead of the one they came from", "topic"},
    {"where", 'w', RW_OPT_LIST, "NAME=VALUE",
     "only letters with this reason, code, topic, partition or offset; all that are given must "
     "hold",
     NULL},
    {"from", 0, RW_OPT_INT, "OFFSET", "only from this offset of the dead letters", NULL},
    {"until", 0, RW_OPT_INT, "OFFSET", "only up to this one, without it", NULL},
    {"num", 'n', RW_OPT_INT, "N", "replay N letters at most", NULL},
    {"dry-run", 0, RW_OPT_FLAG, NULL, "send nothing: print what would go where", NULL},
    {"again", 0, RW_OPT_FLAG, NULL, "also what was replayed before", NULL},
    {"remove", 0, RW_OPT_FLAG, NULL,
     "then delete the letters up to the first one that was not replayed", NULL},
    {"progress", 0, RW_OPT_STRING, "FILE", "the note of what was replayed", "file"},
    RW_OPTION_SPOOL,
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

static const struct rw_example examples[] = {
    {"rollway dlq replay orders.dlq --dry-run", "what would go where"},
    {"rollway dlq replay orders.dlq --where code=parse", "those that could not be parsed"},
    {"rollway dlq replay app-logs.dlq --spool /var/lib/rollway/spool --remove",
     "what a broker appender kept, and then away with it"},
    {NULL, NULL}};

const struct rw_command rw_cmd_dlq_replay = {
    .name = "dlq replay",
    .operands = "TOPIC",
    .operands_complete = "topic",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "send dead letters to where they came from",
    .text =
        "Key, value, time and headers are as they were, without the headers rollway.dlq.*, but "
        "with rollway.dlq.replayed, which counts: a letter that comes back shows it. The partition "
        "is that "
        "it came from, where the topic has it; with --to, that of the key.\n"
        "\n"
        "What was acknowledged is noted, durably, so that a second replay does not send it again "
        "(one that was killed "
        "repeats up to 1,000 letters): in $XDG_STATE_HOME/rollway/dlq (root: "
        "/var/lib/rollway/spool/dlq, else "
        "~/.local/state/rollway/dlq) by cluster and topic, for a spool beside the log. The note is "
        "of this machine: "
        "where several people replay, use --remove, or --progress with a file that they share.\n"
        "\n"
        "Letters stay in their topic, unless --remove is given: then those are deleted that lie "
        "before the first one "
        "that was not replayed, in each partition. Exit status 7: some letters could not be "
        "replayed.",
    .options = options,
    .examples = examples,
    .run = run,
};
