/* Changes of configuration, from the options of a command to their result. */
#include "cli/alter.h"

#include "base/assert.h"
#include "cli/configs.h"
#include "cli/results.h"
#include "wire/error.h"

enum { OP_SET = 0, OP_DELETE = 1, OP_APPEND = 2, OP_SUBTRACT = 3 };

typedef struct rw_incremental_alter_configs_request_resource resource_in;

static int out_of_memory(struct rw_cli *cli)
{
    return rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "out of memory");
}

/* option NULL: an operand. */
static int add_change(struct rw_cli *cli, struct rw_arena *arena, const char *text,
                      const char *option, int8_t op, resource_in *r)
{
    struct rw_incremental_alter_configs_request_config *c = &r->configs[r->n_configs++];
    char *value = rw_arena_alloc(arena, 32);
    if (!value)
        return out_of_memory(cli);
    *c = (struct rw_incremental_alter_configs_request_config){
        .name = rw_str(text), .config_operation = op, .value = RW_STR_NULL};
    if (op == OP_DELETE || rw_config_split(text, &c->name, &c->value, value))
        return RW_EXIT_OK;
    if (!option)
        return rw_cli_usage(cli, "a change is written key=value, not \"%s\"", text);
    return rw_cli_usage(cli, "--%s is written key=value, not \"%s\"", option, text);
}

static const struct {
    const char *option;
    int8_t op;
} changes[] = {
    {"set", OP_SET}, {"delete", OP_DELETE}, {"append", OP_APPEND}, {"subtract", OP_SUBTRACT}};

static int fill(struct rw_cli *cli, struct rw_arena *arena, const struct rw_alter *what,
                struct rw_incremental_alter_configs_request *request)
{
    resource_in first = {.resource_type = what->type};
    int total = what->n_sets, rc = RW_EXIT_OK;
    for (size_t i = 0; i < RW_COUNT(changes); i++)
        total += rw_cli_list_count(cli, changes[i].option);
    if (total == 0)
        return rw_cli_usage(cli, "nothing to change: say what to set, --delete, --append or "
                                 "--subtract");
    first.configs = rw_arena_array(arena, (size_t)total, sizeof(*first.configs));
    request->resources = rw_arena_array(arena, (size_t)what->n_names, sizeof(*request->resources));
    if (!first.configs || !request->resources)
        return out_of_memory(cli);
    for (int k = 0; k < what->n_sets && rc == RW_EXIT_OK; k++)
        rc = add_change(cli, arena, rw_cli_operand(cli, what->first_set + k), NULL, OP_SET, &first);
    for (size_t i = 0; i < RW_COUNT(changes); i++)
        for (int k = 0; k < rw_cli_list_count(cli, changes[i].option) && rc == RW_EXIT_OK; k++)
            rc = add_change(cli, arena, rw_cli_list(cli, changes[i].option, k), changes[i].option,
                            changes[i].op, &first);
    for (int i = 0; i < what->n_names; i++) {
        request->resources[request->n_resources] = first;
        request->resources[request->n_resources++].resource_name = what->names[i];
    }
    request->validate_only = rw_cli_has(cli, "dry");
    return rc;
}

static bool moved(const void *response)
{
    const struct rw_incremental_alter_configs_response *m = response;
    for (int32_t i = 0; i < m->n_responses; i++)
        if (m->responses[i].error_code == RW_KERR_NOT_CONTROLLER)
            return true;
    return false;
}

int rw_cli_alter(struct rw_cli_client *client, struct rw_arena *arena, const struct rw_alter *what)
{
    struct rw_cli *cli = client->cli;
    struct rw_incremental_alter_configs_request request;
    struct rw_results results;
    void *response;
    rw_incremental_alter_configs_request_init(&request);
    int rc = fill(cli, arena, what, &request);
    if (rc != RW_EXIT_OK)
        return rc;
    int code = rw_cli_controller_call(client, RW_API_INCREMENTAL_ALTER_CONFIGS, INT16_MAX, &request,
                                      arena, moved, &response);
    if (code != RW_OK)
        return rw_cli_client_fail(client, code);
    const struct rw_incremental_alter_configs_response *m = response;
    rw_results_begin(&results, client, what->noun);
    for (int32_t i = 0; i < m->n_responses; i++) {
        struct rw_str name = m->responses[i].resource_name;
        rw_results_add(&results, name.n > 0 ? name : RW_STR_LIT("all"),
                       request.validate_only ? "could change" : "changed",
                       m->responses[i].error_code, m->responses[i].error_message);
    }
    return rw_results_end(&results);
}
