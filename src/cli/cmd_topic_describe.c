/* rollway topic list and describe. */
#include "cli/commands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "cli/configs.h"
#include "base/json.h"
#include "cli/ranges.h"
#include "cli/table.h"
#include "client/consumer.h"
#include "wire/error.h"

static int min_replicas(const struct rw_topic *t)
{
    int n = t->n_partitions ? INT32_MAX : 0;
    for (int32_t i = 0; i < t->n_partitions; i++)
        if (t->partitions[i].n_replicas < n)
            n = t->partitions[i].n_replicas;
    return n;
}

/* Partitions without a leader, and with fewer in-sync replicas than replicas. */
static void health(const struct rw_topic *t, int *ret_leaderless, int *ret_under)
{
    *ret_leaderless = *ret_under = 0;
    for (int32_t i = 0; i < t->n_partitions; i++) {
        *ret_leaderless += t->partitions[i].leader < 0;
        *ret_under += t->partitions[i].n_isr < t->partitions[i].n_replicas;
    }
}

/* ---- list ---- */

static void list_json(struct rw_cli_client *c, const struct rw_name_list *l)
{
    struct rw_json j;
    rw_json_init(&j, rw_cli_out(c->cli), 2);
    rw_json_array(&j, NULL);
    for (int i = 0; i < l->n; i++) {
        const struct rw_topic *t = rw_cluster_topic(c->cluster, l->v[i]);
        char id[RW_UUID_TEXT_SIZE];
        int leaderless, under;
        rw_uuid_format(t->id, id);
        health(t, &leaderless, &under);
        rw_json_object(&j, NULL);
        rw_json_cstr(&j, "topic", t->name);
        rw_json_cstr(&j, "id", rw_uuid_is_zero(t->id) ? NULL : id);
        rw_json_int(&j, "partitions", t->n_partitions);
        rw_json_int(&j, "replicas", min_replicas(t));
        rw_json_bool(&j, "internal", t->internal);
        rw_json_int(&j, "leaderless_partitions", leaderless);
        rw_json_int(&j, "under_replicated_partitions", under);
        rw_json_end(&j);
    }
    rw_json_end(&j);
    rw_buf_add_u8(rw_cli_out(c->cli), '\n');
}

static void list_text(struct rw_cli_client *c, const struct rw_name_list *l, bool everything)
{
    static const char *const names[] = {"TOPIC", ">PARTITIONS", ">REPLICAS", NULL};
    static const char *const detailed[] = {"TOPIC",       ">PARTITIONS",       ">REPLICAS",
                                           ">LEADERLESS", ">UNDER-REPLICATED", NULL};
    static const char *const wide[] = {
        "TOPIC",    ">PARTITIONS", ">REPLICAS", ">LEADERLESS", ">UNDER-REPLICATED",
        "INTERNAL", "ID",          NULL};
    struct rw_table t;
    bool all = everything || rw_cli_has(c->cli, "detailed");
    rw_table_init(&t, everything ? wide : all ? detailed : names);
    for (int i = 0; i < l->n; i++) {
        const struct rw_topic *topic = rw_cluster_topic(c->cluster, l->v[i]);
        int leaderless, under;
        health(topic, &leaderless, &under);
        rw_table_cell(&t, "%s", topic->name);
        rw_table_cell(&t, "%d", topic->n_partitions);
        rw_table_cell(&t, "%d", min_replicas(topic));
        if (all) {
            rw_table_cell(&t, "%d", leaderless);
            rw_table_cell(&t, "%d", under);
        }
        if (everything) {
            char id[RW_UUID_TEXT_SIZE];
            rw_uuid_format(topic->id, id);
            rw_table_cell(&t, "%s", topic->internal ? "yes" : "-");
            rw_table_cell(&t, "%s", rw_uuid_is_zero(topic->id) ? "-" : id);
        }
    }
    rw_table_render(&t, rw_cli_plain(c->cli), rw_cli_colour(c->cli, 1), rw_cli_out(c->cli));
    rw_table_deinit(&t);
}

static int run_list(struct rw_cli *cli)
{
    struct rw_cli_client c;
    struct rw_name_list l = {NULL, 0};
    bool wide;
    int rc = rw_cli_wide(cli, &wide);
    if (rc != RW_EXIT_OK)
        return rc;
    rc = rw_cli_client_init(&c, cli, 30000);
    if (rc == RW_EXIT_OK)
        rc = rw_cli_topics(&c, 0, rw_cli_has(cli, "regex"), rw_cli_has(cli, "internal"), &l);
    int named = rw_cli_has(cli, "regex") ? 0 : rw_cli_operand_count(cli);
    for (int i = 0; rc == RW_EXIT_OK && i < named; i++) {
        struct rw_topic *t;
        int code = rw_cluster_get_topic(c.cluster, l.v[i], false, &t, &c.err);
        if (code != RW_OK)
            rc = rw_cli_client_fail(&c, code);
    }
    if (rc == RW_EXIT_OK && rw_cli_json(cli))
        list_json(&c, &l);
    else if (rc == RW_EXIT_OK && (l.n > 0 || rw_cli_plain(cli)))
        list_text(&c, &l, wide);
    else if (rc == RW_EXIT_OK)
        rw_cli_note(cli, "no topics yet; rollway topic create NAME makes one");
    rw_name_list_deinit(&l);
    rw_cli_client_deinit(&c);
    return rc;
}

/* ---- describe ---- */

struct describe {
    struct rw_cli_client client;
    struct rw_topic *topic;
    bool summary, configs, partitions, wide;
    int64_t *starts, *ends, *stable;
};

static int take_offsets(struct describe *d)
{
    int n = d->topic->n_partitions;
    struct rw_client_err *err = &d->client.err;
    int32_t *all = rw_alloc_array((size_t)n + 1, sizeof(*all));
    d->starts = rw_alloc_array((size_t)n * 3 + 1, sizeof(*d->starts));
    if (!all || !d->starts) {
        rw_free(all);
        return rw_client_fail(err, RW_E_NOMEM, "out of memory");
    }
    d->ends = d->starts + n;
    d->stable = d->starts + 2 * n;
    /* A partition without a leader has no offsets to tell; the others shall be shown. */
    int m = 0;
    for (int i = 0; i < n; i++)
        if (d->topic->partitions[i].leader >= 0)
            all[m++] = i;
    int64_t *compact = rw_alloc_array((size_t)m + 1, sizeof(*compact));
    int64_t *const into[] = {d->starts, d->ends, d->stable};
    int rc = compact ? RW_OK : RW_E_NOMEM;
    for (int k = 0; k < 3 && rc == RW_OK; k++) {
        rc = rw_list_offsets(d->client.cluster, d->topic, all, m,
                             k == 0 ? RW_OFFSET_EARLIEST : RW_OFFSET_LATEST, k == 2, compact, err);
        for (int i = 0; i < n; i++)
            into[k][i] = -1;
        for (int i = 0; i < m && rc == RW_OK; i++)
            into[k][all[i]] = compact[i];
    }
    rw_free(compact);
    rw_free(all);
    return rc;
}

static void ids_json(struct rw_json *j, const char *key, const int32_t *ids, int32_t n)
{
    rw_json_array(j, key);
    for (int32_t i = 0; i < n; i++)
        rw_json_int(j, NULL, ids[i]);
    rw_json_end(j);
}

static void partitions_json(struct describe *d, struct rw_json *j)
{
    rw_json_array(j, "partitions");
    for (int32_t i = 0; i < d->topic->n_partitions; i++) {
        const struct rw_topic_partition *p = &d->topic->partitions[i];
        rw_json_object(j, NULL);
        rw_json_int(j, "partition", i);
        rw_json_int(j, "leader", p->leader);
        rw_json_int(j, "leader_epoch", p->leader_epoch);
        ids_json(j, "replicas", p->replicas, p->n_replicas);
        ids_json(j, "isr", p->isr, p->n_isr);
        rw_json_int(j, "log_start_offset", d->starts[i]);
        rw_json_int(j, "last_stable_offset", d->stable[i]);
        rw_json_int(j, "high_watermark", d->ends[i]);
        rw_json_end(j);
    }
    rw_json_end(j);
}

static void cell_ids(struct rw_table *t, const int32_t *ids, int32_t n)
{
    char text[200] = "";
    size_t at = 0;
    for (int32_t i = 0; i < n && at < sizeof(text) - 16; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, i ? ",%d" : "%d", ids[i]);
    rw_table_cell(t, "%s", text);
}

static void wide_cells(struct describe *d, struct rw_table *t, int32_t i)
{
    const struct rw_topic_partition *p = &d->topic->partitions[i];
    const struct rw_node *leader = rw_cluster_node(d->client.cluster, p->leader);
    rw_table_cell(t, "%" PRId64, d->ends[i] > 0 ? d->ends[i] - d->starts[i] : 0);
    if (p->n_offline > 0)
        cell_ids(t, p->offline, p->n_offline);
    else
        rw_table_cell(t, "-");
    if (leader)
        rw_table_cell(t, strchr(leader->host, ':') ? "[%s]:%d" : "%s:%d", leader->host,
                      leader->port);
    else
        rw_table_cell(t, "-");
}

static void partitions_text(struct describe *d)
{
    static const char *const names[] = {">PARTITION", ">LEADER",    ">EPOCH", "REPLICAS",
                                        "ISR",        ">LOG START", ">LSO",   ">HIGH WATERMARK",
                                        NULL};
    static const char *const all[] = {
        ">PARTITION",      ">LEADER",  ">EPOCH",  "REPLICAS",       "ISR", ">LOG START", ">LSO",
        ">HIGH WATERMARK", ">OFFSETS", "OFFLINE", "LEADER ADDRESS", NULL};
    struct rw_table t;
    struct rw_cli *cli = d->client.cli;
    rw_table_init(&t, d->wide ? all : names);
    for (int32_t i = 0; i < d->topic->n_partitions; i++) {
        const struct rw_topic_partition *p = &d->topic->partitions[i];
        rw_table_cell(&t, "%d", i);
        rw_table_cell(&t, "%d", p->leader);
        rw_table_cell(&t, "%d", p->leader_epoch);
        cell_ids(&t, p->replicas, p->n_replicas);
        cell_ids(&t, p->isr, p->n_isr);
        rw_table_cell(&t, "%" PRId64, d->starts[i]);
        rw_table_cell(&t, "%" PRId64, d->stable[i]);
        rw_table_cell(&t, "%" PRId64, d->ends[i]);
        if (d->wide)
            wide_cells(d, &t, i);
    }
    rw_table_render(&t, rw_cli_plain(cli), rw_cli_colour(cli, 1), rw_cli_out(cli));
    rw_table_deinit(&t);
}

static void summary_text(struct describe *d)
{
    char id[RW_UUID_TEXT_SIZE];
    int64_t records = 0;
    rw_uuid_format(d->topic->id, id);
    for (int32_t i = 0; i < d->topic->n_partitions; i++)
        records += d->ends[i] > 0 ? d->ends[i] - d->starts[i] : 0;
    rw_buf_printf(
        rw_cli_out(d->client.cli),
        "topic       %s\nid          %s\npartitions  %d\nreplicas    %d\noffsets     %" PRId64 "\n",
        d->topic->name, id, d->topic->n_partitions, min_replicas(d->topic), records);
    if (d->topic->internal)
        rw_buf_add_str(rw_cli_out(d->client.cli), "internal    yes\n");
}

static int describe_text(struct describe *d)
{
    struct rw_buf *out = rw_cli_out(d->client.cli);
    int code = RW_OK;
    if (d->summary)
        summary_text(d);
    if (d->partitions) {
        rw_buf_add_str(out, d->summary ? "\n" : "");
        partitions_text(d);
    }
    if (d->configs) {
        rw_buf_add_str(out, d->summary || d->partitions ? "\n" : "");
        code = rw_cli_configs(&d->client, RW_RESOURCE_TOPIC, d->topic->name, NULL, d->wide, NULL);
    }
    return code;
}

static int describe_json(struct describe *d, struct rw_json *j)
{
    char id[RW_UUID_TEXT_SIZE];
    int code = RW_OK;
    rw_uuid_format(d->topic->id, id);
    rw_json_object(j, NULL);
    rw_json_cstr(j, "topic", d->topic->name);
    rw_json_cstr(j, "id", rw_uuid_is_zero(d->topic->id) ? NULL : id);
    rw_json_bool(j, "internal", d->topic->internal);
    rw_json_int(j, "replicas", min_replicas(d->topic));
    partitions_json(d, j);
    if (d->configs)
        code = rw_cli_configs(&d->client, RW_RESOURCE_TOPIC, d->topic->name, NULL, false, j);
    rw_json_end(j);
    return code;
}

static int describe_topic(struct describe *d, const char *name, struct rw_json *j)
{
    int code = rw_cluster_get_topic(d->client.cluster, name, false, &d->topic, &d->client.err);
    if (code == RW_OK)
        code = take_offsets(d);
    if (code == RW_OK)
        code = j ? describe_json(d, j) : describe_text(d);
    rw_free(d->starts);
    d->starts = NULL;
    return code;
}

static int run_describe(struct rw_cli *cli)
{
    struct describe d = {.topic = NULL};
    struct rw_name_list l = {NULL, 0};
    struct rw_json j;
    bool json = rw_cli_json(cli), all = rw_cli_has(cli, "all");
    int code = RW_OK;
    int rc = rw_cli_wide(cli, &d.wide);
    if (rc != RW_EXIT_OK)
        return rc;
    rc = rw_cli_client_init(&d.client, cli, 30000);
    d.configs = all || rw_cli_has(cli, "configs");
    d.partitions = all || rw_cli_has(cli, "partitions") ||
                   (!rw_cli_has(cli, "configs") && !rw_cli_has(cli, "summary"));
    d.summary =
        all || rw_cli_has(cli, "summary") ||
        (!rw_cli_has(cli, "configs") && !rw_cli_has(cli, "partitions") && !rw_cli_plain(cli));
    if (rc == RW_EXIT_OK)
        rc = rw_cli_topics(&d.client, 0, rw_cli_has(cli, "regex"), false, &l);
    if (rc == RW_EXIT_OK && json) {
        rw_json_init(&j, rw_cli_out(cli), 2);
        rw_json_array(&j, NULL);
    }
    for (int i = 0; rc == RW_EXIT_OK && code == RW_OK && i < l.n; i++) {
        if (i > 0 && !json)
            rw_buf_add_u8(rw_cli_out(cli), '\n');
        code = describe_topic(&d, l.v[i], json ? &j : NULL);
    }
    if (code != RW_OK) {
        rw_buf_clear(rw_cli_out(cli)); /* half a document helps nobody */
        rc = rw_cli_client_fail(&d.client, code);
    } else if (rc == RW_EXIT_OK && json) {
        rw_json_end(&j);
        rw_buf_add_u8(rw_cli_out(cli), '\n');
    }
    rw_name_list_deinit(&l);
    rw_cli_client_deinit(&d.client);
    return rc;
}

static const struct rw_option list_options[] = {
    {"detailed", 'd', RW_OPT_FLAG, NULL, "show partitions in trouble too", NULL},
    RW_OPTION_OUTPUT,
    {"internal", 'i', RW_OPT_FLAG, NULL, "show internal topics too", NULL},
    {"regex", 'r', RW_OPT_FLAG, NULL, "TOPIC is a regular expression", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

const struct rw_command rw_cmd_topic_list = {
    .name = "topic list",
    .aliases = "topics list, topics, topic ls",
    .operands = "TOPIC...",
    .operands_complete = "topic",
    .operands_max = -1,
    .summary = "list topics",
    .options = list_options,
    .run = run_list,
};

static const struct rw_option describe_options[] = {
    {"summary", 's', RW_OPT_FLAG, NULL, "only the summary", NULL},
    {"configs", 'c', RW_OPT_FLAG, NULL, "the configuration", NULL},
    {"partitions", 'p', RW_OPT_FLAG, NULL, "only the partitions", NULL},
    {"all", 'a', RW_OPT_FLAG, NULL, "everything", NULL},
    RW_OPTION_OUTPUT,
    {"regex", 'r', RW_OPT_FLAG, NULL, "TOPIC is a regular expression", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

const struct rw_command rw_cmd_topic_describe = {
    .name = "topic describe",
    .aliases = "topics describe, topic info",
    .operands = "TOPIC...",
    .operands_complete = "topic",
    .operands_min = 1,
    .operands_max = -1,
    .summary = "show a topic's partitions, offsets and configuration",
    .options = describe_options,
    .run = run_describe,
};
