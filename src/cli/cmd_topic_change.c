/* rollway topic alter (IncrementalAlterConfigs) and trim (DeleteRecords). */
#include "base/assert.h"
#include "cli/commands.h"

#include <stdio.h>
#include "base/mem.h"
#include "cli/alter.h"
#include "cli/configs.h"
#include "cli/offsets.h"
#include "cli/ranges.h"
#include "cli/results.h"
#include "client/consumer.h"
#include "os/os.h"
#include "wire/error.h"

#define TIMEOUT_MS 30000

static int out_of_memory(struct rw_cli *cli)
{
    return rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "out of memory");
}

/* ---- alter ---- */

static int alter(struct rw_cli *cli, struct rw_cli_client *client, struct rw_arena *arena)
{
    int n = rw_cli_operand_count(cli);
    struct rw_str *names = rw_arena_array(arena, (size_t)n, sizeof(*names));
    if (!names)
        return out_of_memory(cli);
    for (int i = 0; i < n; i++)
        names[i] = rw_str(rw_cli_operand(cli, i));
    struct rw_alter what = {
        .type = RW_RESOURCE_TOPIC, .names = names, .n_names = n, .noun = "topic"};
    return rw_cli_alter(client, arena, &what);
}

/* ---- trim ---- */

struct trim {
    struct rw_cli *cli;
    struct rw_cli_client *client;
    struct rw_arena *arena;
    struct rw_topic *topic;
    struct rw_int_list partitions;
    int64_t *offsets;
    struct rw_results results;
};

/* From -o to the new log start offset of each partition. */
static int trim_offsets(struct trim *t)
{
    struct rw_offset_range range;
    struct rw_client_err *err = &t->client->err;
    const char *text = rw_cli_string(t->cli, "offset", "end");
    int n = t->partitions.n;
    if (!rw_parse_offsets(text, rw_wall_ms(rw_os_env()->clock), &range) ||
        range.to.kind != RW_POINT_NONE)
        return rw_client_fail(err, RW_E_INVAL,
                              "\"%s\" is no place to trim to: end, 47, +10, -10, @-7d", text);
    t->offsets = rw_arena_array(t->arena, (size_t)n + 1, sizeof(*t->offsets));
    if (!t->offsets)
        return rw_client_fail(err, RW_E_NOMEM, "out of memory");
    int64_t when = range.from.kind == RW_POINT_TIME ? range.from.value
                   : range.from.kind == RW_POINT_END || range.from.kind == RW_POINT_FROM_END
                       ? RW_OFFSET_LATEST
                       : RW_OFFSET_EARLIEST;
    int rc = rw_list_offsets(t->client->cluster, t->topic, t->partitions.v, n, when, false,
                             t->offsets, err);
    for (int i = 0; i < n && rc == RW_OK; i++) {
        if (range.from.kind == RW_POINT_EXACT)
            t->offsets[i] = range.from.value;
        else if (range.from.kind == RW_POINT_FROM_START)
            t->offsets[i] = rw_offset_add(t->offsets[i], range.from.value);
        else if (range.from.kind == RW_POINT_FROM_END)
            t->offsets[i] = t->offsets[i] > range.from.value ? t->offsets[i] - range.from.value : 0;
        /* Nothing is that young: everything goes. -1 means the high watermark in this request. */
    }
    return rc;
}

static int trim_node(struct trim *t, int32_t node)
{
    struct rw_delete_records_request request;
    struct rw_delete_records_request_topic topic = {.name = rw_str(t->topic->name)};
    void *response;
    rw_delete_records_request_init(&request);
    topic.partitions =
        rw_arena_array(t->arena, (size_t)t->partitions.n + 1, sizeof(*topic.partitions));
    if (!topic.partitions)
        return rw_client_fail(&t->client->err, RW_E_NOMEM, "out of memory");
    for (int i = 0; i < t->partitions.n; i++)
        if (t->topic->partitions[t->partitions.v[i]].leader == node)
            topic.partitions[topic.n_partitions++] = (struct rw_delete_records_request_partition){
                .partition_index = t->partitions.v[i], .offset = t->offsets[i]};
    if (topic.n_partitions == 0)
        return RW_OK;
    request.topics = &topic;
    request.n_topics = 1;
    request.timeout_ms = TIMEOUT_MS;
    int rc = rw_cli_client_call(t->client, node, RW_API_DELETE_RECORDS, INT16_MAX, &request,
                                t->arena, &response);
    if (rc != RW_OK)
        return rc;
    const struct rw_delete_records_response *m = response;
    for (int32_t i = 0; i < m->n_topics; i++) {
        for (int32_t k = 0; k < m->topics[i].n_partitions; k++) {
            const struct rw_delete_records_response_partition *p = &m->topics[i].partitions[k];
            char name[300];
            snprintf(name, sizeof(name), "%s-%d", t->topic->name, p->partition_index);
            rw_results_add(&t->results, rw_str(name), "trimmed", p->error_code, RW_STR_NULL);
        }
    }
    return RW_OK;
}

static int trim_work(struct trim *t)
{
    char question[400];
    const char *name = rw_cli_operand(t->cli, 0);
    struct rw_client_err *err = &t->client->err;
    int rc = rw_cluster_get_topic(t->client->cluster, name, false, &t->topic, err);
    const char *list = rw_cli_string(t->cli, "partitions", NULL);
    if (rc == RW_OK && list && !rw_parse_partitions(list, &t->partitions))
        return rw_cli_usage(t->cli, "\"%s\" is no list of partitions: 0,2,5-7", list);
    char all[32];
    if (rc == RW_OK && !list) {
        snprintf(all, sizeof(all), "0-%d", t->topic->n_partitions - 1);
        if (!rw_parse_partitions(all, &t->partitions))
            rc = rw_client_fail(err, RW_E_NOMEM, "out of memory");
    }
    if (rc == RW_OK)
        rc = trim_offsets(t);
    if (rc != RW_OK)
        return rc == RW_E_INVAL ? rw_cli_usage(t->cli, "%s", err->text)
                                : rw_cli_client_fail(t->client, rc);
    snprintf(question, sizeof(question), "delete all records of %s before %s for ever?", name,
             rw_cli_string(t->cli, "offset", "end"));
    int confirmed = rw_cli_has(t->cli, "yes") ? RW_EXIT_OK : rw_cli_confirm(t->cli, question);
    if (confirmed != RW_EXIT_OK)
        return confirmed;
    rw_results_begin(&t->results, t->client, "partition");
    for (int i = 0; rc == RW_OK && i < t->client->cluster->n_nodes; i++)
        rc = trim_node(t, t->client->cluster->nodes[i].id);
    if (rc != RW_OK) {
        rw_buf_clear(rw_cli_out(t->cli));
        return rw_cli_client_fail(t->client, rc);
    }
    return rw_results_end(&t->results);
}

static int trim(struct rw_cli *cli, struct rw_cli_client *client, struct rw_arena *arena)
{
    struct trim t = {.cli = cli, .client = client, .arena = arena};
    int rc = trim_work(&t);
    rw_free(t.partitions.v);
    return rc;
}

/* ---- the commands ---- */

static int run_alter(struct rw_cli *cli)
{
    return rw_cli_with_client(cli, TIMEOUT_MS, alter);
}

static int run_trim(struct rw_cli *cli)
{
    return rw_cli_with_client(cli, TIMEOUT_MS, trim);
}

static const struct rw_option alter_options[] = {
    {"set", 's', RW_OPT_LIST, "KEY=VALUE", "set a key, e.g. retention.ms=7d; may be repeated",
     NULL},
    {"delete", 'd', RW_OPT_LIST, "KEY", "back to the broker's default; may be repeated", NULL},
    {"append", 0, RW_OPT_LIST, "KEY=VALUE", "add to a list, e.g. cleanup.policy=compact", NULL},
    {"subtract", 0, RW_OPT_LIST, "KEY=VALUE", "remove from a list", NULL},
    {"dry", 0, RW_OPT_FLAG, NULL, "only check whether it could be done", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

static const struct rw_example alter_examples[] = {
    {"rollway topic alter logs -s retention.ms=7d -s segment.bytes=256MiB", "keep a week"},
    {NULL, NULL}};

const struct rw_command rw_cmd_topic_alter = {
    .name = "topic alter",
    .aliases = "topics alter, topic alter-config",
    .operands = "TOPIC...",
    .operands_complete = "topic",
    .operands_min = 1,
    .operands_max = -1,
    .summary = "change the configuration of topics",
    .options = alter_options,
    .examples = alter_examples,
    .run = run_alter,
};

static const struct rw_option trim_options[] = {
    {"offset", 'o', RW_OPT_STRING, "OFFSET",
     "delete what is before: end, 47, -1000, @-7d (default end)", NULL},
    {"partitions", 'p', RW_OPT_STRING, "LIST", "only these partitions, e.g. 0,2,5-7", NULL},
    {"yes", 'y', RW_OPT_FLAG, NULL, "do not ask", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

const struct rw_command rw_cmd_topic_trim = {
    .name = "topic trim",
    .aliases = "topics trim, topic trim-prefix",
    .operands = "TOPIC",
    .operands_complete = "topic",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "delete the oldest records of a topic",
    .text = "Records before the given place are gone for ever; the log start offset moves there.",
    .options = trim_options,
    .run = run_trim,
};
