/* rollway topic create, delete, add-partitions: requests to the controller, a result per topic. */
#include "cli/commands.h"

#include <stdio.h>
#include "base/mem.h"
#include "cli/ranges.h"
#include "cli/results.h"
#include "wire/error.h"

#define TIMEOUT_MS 30000
#define CREATE_CAP INT16_MAX
#define DELETE_CAP 5 /* from 6 on by id or name: the older shape does what is needed */

static int out_of_memory(struct rw_cli *cli)
{
    return rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "out of memory");
}

/* ---- create ---- */

static int fill_configs(struct rw_cli *cli, struct rw_arena *arena,
                        struct rw_create_topics_request_topic *t)
{
    int n = rw_cli_list_count(cli, "config");
    t->configs = rw_arena_array(arena, (size_t)n + 1, sizeof(*t->configs));
    if (!t->configs)
        return out_of_memory(cli);
    for (int i = 0; i < n; i++) {
        char *value = rw_arena_alloc(arena, 32);
        struct rw_create_topics_request_config *c = &t->configs[t->n_configs++];
        if (!value)
            return out_of_memory(cli);
        if (!rw_config_split(rw_cli_list(cli, "config", i), &c->name, &c->value, value))
            return rw_cli_usage(cli, "a configuration is written key=value, not \"%s\"",
                                rw_cli_list(cli, "config", i));
    }
    if (rw_cli_has(cli, "compact"))
        t->configs[t->n_configs++] = (struct rw_create_topics_request_config){
            RW_STR_LIT("cleanup.policy"), RW_STR_LIT("compact")};
    return RW_EXIT_OK;
}

static int fill_create(struct rw_cli *cli, struct rw_arena *arena,
                       struct rw_create_topics_request *request)
{
    int n = rw_cli_operand_count(cli);
    struct rw_create_topics_request_topic first;
    int64_t partitions = rw_cli_int(cli, "partitions", -1),
            replicas = rw_cli_int(cli, "replicas", -1);
    if (partitions < -1 || partitions == 0 || partitions > 1000000)
        return rw_cli_usage(cli, "--partitions is 1 or more, or -1 for the broker's default");
    if (replicas < -1 || replicas == 0 || replicas > INT16_MAX)
        return rw_cli_usage(cli, "--replicas is 1 or more, or -1 for the broker's default");
    rw_create_topics_request_init(request);
    rw_create_topics_request_topic_init(&first);
    first.num_partitions = (int32_t)partitions;
    first.replication_factor = (int16_t)replicas;
    int rc = fill_configs(cli, arena, &first);
    if (rc != RW_EXIT_OK)
        return rc;
    request->timeout_ms = TIMEOUT_MS;
    request->validate_only = rw_cli_has(cli, "dry");
    request->topics = rw_arena_array(arena, (size_t)n, sizeof(*request->topics));
    request->n_topics = n;
    if (!request->topics)
        return out_of_memory(cli);
    for (int i = 0; i < n; i++) {
        request->topics[i] = first;
        request->topics[i].name = rw_str(rw_cli_operand(cli, i));
    }
    return RW_EXIT_OK;
}

static bool create_moved(const void *response)
{
    const struct rw_create_topics_response *m = response;
    for (int32_t i = 0; i < m->n_topics; i++)
        if (m->topics[i].error_code == RW_KERR_NOT_CONTROLLER)
            return true;
    return false;
}

static int create(struct rw_cli *cli, struct rw_cli_client *client, struct rw_arena *arena)
{
    struct rw_create_topics_request request;
    struct rw_results results;
    void *response;
    int rc = fill_create(cli, arena, &request);
    if (rc != RW_EXIT_OK)
        return rc;
    int code = rw_cli_controller_call(client, RW_API_CREATE_TOPICS, CREATE_CAP, &request, arena,
                                      create_moved, &response);
    if (code != RW_OK)
        return rw_cli_client_fail(client, code);
    const struct rw_create_topics_response *m = response;
    rw_results_begin(&results, client, "topic");
    for (int32_t i = 0; i < m->n_topics; i++) {
        const struct rw_create_topics_response_topic *t = &m->topics[i];
        if (t->error_code == RW_KERR_TOPIC_ALREADY_EXISTS && rw_cli_has(cli, "if-not-exists"))
            rw_results_add(&results, t->name, "kept", 0, RW_STR_NULL);
        else
            rw_results_add(&results, t->name, request.validate_only ? "could create" : "created",
                           t->error_code, t->error_message);
    }
    return rw_results_end(&results);
}

/* ---- delete ---- */

static bool delete_moved(const void *response)
{
    const struct rw_delete_topics_response *m = response;
    for (int32_t i = 0; i < m->n_responses; i++)
        if (m->responses[i].error_code == RW_KERR_NOT_CONTROLLER)
            return true;
    return false;
}

static int delete_these(struct rw_cli_client *client, struct rw_arena *arena,
                        const struct rw_name_list *l)
{
    struct rw_delete_topics_request request;
    struct rw_results results;
    void *response;
    rw_delete_topics_request_init(&request);
    request.timeout_ms = TIMEOUT_MS;
    request.topic_names = rw_arena_array(arena, (size_t)l->n, sizeof(*request.topic_names));
    if (!request.topic_names)
        return out_of_memory(client->cli);
    for (int i = 0; i < l->n; i++)
        request.topic_names[request.n_topic_names++] = rw_str(l->v[i]);
    int code = rw_cli_controller_call(client, RW_API_DELETE_TOPICS, DELETE_CAP, &request, arena,
                                      delete_moved, &response);
    if (code != RW_OK)
        return rw_cli_client_fail(client, code);
    const struct rw_delete_topics_response *m = response;
    rw_results_begin(&results, client, "topic");
    for (int32_t i = 0; i < m->n_responses; i++)
        rw_results_add(&results, m->responses[i].name, "deleted", m->responses[i].error_code,
                       m->responses[i].error_message);
    return rw_results_end(&results);
}

static int confirm(struct rw_cli *cli, const struct rw_name_list *l)
{
    char question[400];
    if (rw_cli_has(cli, "yes"))
        return RW_EXIT_OK;
    if (l->n == 1)
        snprintf(question, sizeof(question), "delete topic %s and all its records?", l->v[0]);
    else
        snprintf(question, sizeof(question), "delete %d topics (%s, %s%s) and all their records?",
                 l->n, l->v[0], l->v[1], l->n > 2 ? ", ..." : "");
    return rw_cli_confirm(cli, question);
}

static int delete (struct rw_cli *cli, struct rw_cli_client *client, struct rw_arena *arena)
{
    struct rw_name_list l = {NULL, 0};
    int rc = rw_cli_topics(client, 0, rw_cli_has(cli, "regex"), false, &l);
    if (rc == RW_EXIT_OK && l.n == 0)
        rc = rw_cli_fail(cli, RW_EXIT_NOT_FOUND, "rollway topic list shows the topics",
                         "no topic matches");
    if (rc == RW_EXIT_OK)
        rc = confirm(cli, &l);
    if (rc == RW_EXIT_OK)
        rc = delete_these(client, arena, &l);
    rw_name_list_deinit(&l);
    return rc;
}

/* ---- add-partitions ---- */

static bool enlarge_moved(const void *response)
{
    const struct rw_create_partitions_response *m = response;
    for (int32_t i = 0; i < m->n_results; i++)
        if (m->results[i].error_code == RW_KERR_NOT_CONTROLLER)
            return true;
    return false;
}

static int add_partitions(struct rw_cli *cli, struct rw_cli_client *client, struct rw_arena *arena)
{
    struct rw_create_partitions_request request;
    struct rw_results results;
    void *response;
    int n = rw_cli_operand_count(cli);
    int64_t num = rw_cli_int(cli, "num", 0);
    if (num < 1 || num > 1000000)
        return rw_cli_usage(cli, "-n says how many partitions to add, 1 or more");
    rw_create_partitions_request_init(&request);
    request.timeout_ms = TIMEOUT_MS;
    request.validate_only = rw_cli_has(cli, "dry");
    request.topics = rw_arena_array(arena, (size_t)n, sizeof(*request.topics));
    if (!request.topics)
        return out_of_memory(cli);
    for (int i = 0; i < n; i++) {
        struct rw_topic *t;
        struct rw_create_partitions_request_topic *to = &request.topics[request.n_topics++];
        int code =
            rw_cluster_get_topic(client->cluster, rw_cli_operand(cli, i), false, &t, &client->err);
        if (code != RW_OK)
            return rw_cli_client_fail(client, code);
        rw_create_partitions_request_topic_init(to);
        to->name = rw_str(t->name);
        to->count = t->n_partitions + (int32_t)num;
        to->n_assignments = -1;
    }
    int code = rw_cli_controller_call(client, RW_API_CREATE_PARTITIONS, INT16_MAX, &request, arena,
                                      enlarge_moved, &response);
    if (code != RW_OK)
        return rw_cli_client_fail(client, code);
    const struct rw_create_partitions_response *m = response;
    rw_results_begin(&results, client, "topic");
    for (int32_t i = 0; i < m->n_results; i++)
        rw_results_add(&results, m->results[i].name,
                       request.validate_only ? "could enlarge" : "enlarged",
                       m->results[i].error_code, m->results[i].error_message);
    return rw_results_end(&results);
}

/* ---- the commands ---- */

static int run_create(struct rw_cli *cli)
{
    return rw_cli_with_client(cli, TIMEOUT_MS, create);
}

static int run_delete(struct rw_cli *cli)
{
    return rw_cli_with_client(cli, TIMEOUT_MS, delete);
}

static int run_add_partitions(struct rw_cli *cli)
{
    return rw_cli_with_client(cli, TIMEOUT_MS, add_partitions);
}

static const struct rw_option create_options[] = {
    {"partitions", 'p', RW_OPT_INT, "N", "number of partitions (default: the broker's)", NULL},
    {"replicas", 'r', RW_OPT_INT, "N", "copies of each partition (default: the broker's)", NULL},
    {"config", 'c', RW_OPT_LIST, "KEY=VALUE",
     "configuration, e.g. retention.ms=7d; may be repeated", NULL},
    {"compact", 0, RW_OPT_FLAG, NULL,
     "cleanup.policy=compact: records want keys; this version keeps them all", NULL},
    {"if-not-exists", 0, RW_OPT_FLAG, NULL, "no failure when the topic is there already", NULL},
    {"dry", 0, RW_OPT_FLAG, NULL, "only check whether it could be done", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

static const struct rw_example create_examples[] = {
    {"rollway topic create logs -p 12", "twelve partitions"},
    {"rollway topic create users --compact -c segment.bytes=64MiB",
     "every record has a key, and none is deleted for its age"},
    {NULL, NULL}};

const struct rw_command rw_cmd_topic_create = {
    .name = "topic create",
    .aliases = "topics create, topic new",
    .operands = "TOPIC...",
    .operands_min = 1,
    .operands_max = -1,
    .summary = "make topics",
    .text = "Values of configurations may have units: 7d for keys that end in .ms, 1GiB for sizes.",
    .options = create_options,
    .examples = create_examples,
    .run = run_create,
};

static const struct rw_option delete_options[] = {
    {"regex", 'r', RW_OPT_FLAG, NULL, "TOPIC is a regular expression", NULL},
    {"yes", 'y', RW_OPT_FLAG, NULL, "do not ask", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

const struct rw_command rw_cmd_topic_delete = {
    .name = "topic delete",
    .aliases = "topics delete, topic rm",
    .operands = "TOPIC...",
    .operands_complete = "topic",
    .operands_min = 1,
    .operands_max = -1,
    .summary = "delete topics and all their records",
    .text = "Asks on a terminal; elsewhere --yes is needed.",
    .options = delete_options,
    .run = run_delete,
};

static const struct rw_option add_options[] = {
    {"num", 'n', RW_OPT_INT, "N", "how many partitions to add", NULL},
    {"dry", 0, RW_OPT_FLAG, NULL, "only check whether it could be done", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

const struct rw_command rw_cmd_topic_add_partitions = {
    .name = "topic add-partitions",
    .aliases = "topics add-partitions",
    .operands = "TOPIC...",
    .operands_complete = "topic",
    .operands_min = 1,
    .operands_max = -1,
    .summary = "add partitions to topics",
    .text =
        "Records with keys go to other partitions afterwards: what was written stays where it is.",
    .options = add_options,
    .run = run_add_partitions,
};
