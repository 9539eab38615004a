/* Configuration of topics and brokers, shown. */
#include "cli/configs.h"

#include <stdlib.h>
#include "base/assert.h"
#include "cli/table.h"

#define MEMORY (64u << 20)

#define SOURCE_DEFAULT 5 /* as DescribeConfigs numbers them */

static const char *source_name(int8_t source)
{
    static const char *const names[] = {"unknown",         "topic",          "dynamic broker",
                                        "dynamic default", "static broker",  "default",
                                        "dynamic logger",  "client metrics", "group"};
    return source >= 0 && source < (int8_t)RW_COUNT(names) ? names[source] : "unknown";
}

static void add_json(struct rw_json *j, const struct rw_describe_configs_response_resource *m,
                     const char *only)
{
    rw_json_object(j, "configs");
    for (int32_t i = 0; i < m->n_configs; i++) {
        const struct rw_describe_configs_response_config *c = &m->configs[i];
        char name[256];
        if (only && !rw_str_is(c->name, only))
            continue;
        snprintf(name, sizeof(name), "%.*s", c->name.n, c->name.p);
        rw_json_object(j, name);
        rw_json_str(j, "value", c->value);
        rw_json_cstr(j, "source", source_name(c->config_source));
        rw_json_bool(j, "read_only", c->read_only);
        rw_json_bool(j, "sensitive", c->is_sensitive);
        rw_json_end(j);
    }
    rw_json_end(j);
}

static const char *type_name(int8_t type)
{
    static const char *const names[] = {"-",    "boolean", "string", "int",   "short",
                                        "long", "double",  "list",   "class", "password"};
    return type >= 0 && type < (int8_t)RW_COUNT(names) ? names[type] : "-";
}

/* What it would be if nobody had set it, or the key that it would come from, whose unit may be another. */
static void cell_default(struct rw_table *t, const struct rw_describe_configs_response_config *c)
{
    const struct rw_describe_configs_response_synonym *last = NULL;
    for (int32_t i = 0; i < c->n_synonyms; i++)
        if (c->synonyms[i].source == SOURCE_DEFAULT)
            last = &c->synonyms[i];
    if (last && !rw_str_eq(last->name, c->name))
        rw_table_cell(t, "%.*s=%.*s", last->name.n, last->name.p,
                      last->value.n < 0 ? 0 : last->value.n, last->value.p);
    else if (last)
        rw_table_cell_n(t, last->value.p, last->value.n);
    else if (c->config_source == SOURCE_DEFAULT && !c->is_sensitive)
        rw_table_cell_n(t, c->value.p, c->value.n);
    else
        rw_table_cell(t, "-");
}

static void add_text(struct rw_cli *cli, const struct rw_describe_configs_response_resource *m,
                     const char *only, bool wide)
{
    static const char *const names[] = {"KEY", "VALUE", "SOURCE", NULL};
    static const char *const all[] = {"KEY",  "VALUE",     "SOURCE", "DEFAULT",
                                      "TYPE", "READ-ONLY", NULL};
    struct rw_table t;
    rw_table_init(&t, wide ? all : names);
    for (int32_t i = 0; i < m->n_configs; i++) {
        const struct rw_describe_configs_response_config *c = &m->configs[i];
        if (only && !rw_str_is(c->name, only))
            continue;
        rw_table_cell_n(&t, c->name.p, c->name.n);
        if (c->is_sensitive)
            rw_table_cell(&t, "(hidden)");
        else
            rw_table_cell_n(&t, c->value.p, c->value.n);
        rw_table_cell(&t, "%s", source_name(c->config_source));
        if (!wide)
            continue;
        cell_default(&t, c);
        rw_table_cell(&t, "%s", type_name(c->config_type));
        rw_table_cell(&t, "%s", c->read_only ? "yes" : "-");
    }
    rw_table_render(&t, rw_cli_plain(cli), rw_cli_colour(cli, 1), rw_cli_out(cli));
    rw_table_deinit(&t);
}

static int by_name(const void *a, const void *b)
{
    struct rw_str x = ((const struct rw_describe_configs_response_config *)a)->name;
    struct rw_str y = ((const struct rw_describe_configs_response_config *)b)->name;
    int32_t n = x.n < y.n ? x.n : y.n;
    int d = n > 0 ? memcmp(x.p, y.p, (size_t)n) : 0;
    return d ? d : x.n - y.n;
}

int rw_cli_configs(struct rw_cli_client *client, int8_t type, const char *name, const char *only,
                   bool wide, struct rw_json *j)
{
    struct rw_describe_configs_request request;
    struct rw_describe_configs_request_resource resource;
    struct rw_str key = rw_str(only);
    struct rw_arena arena;
    void *response;
    rw_arena_init(&arena, MEMORY);
    rw_describe_configs_request_init(&request);
    rw_describe_configs_request_resource_init(&resource);
    resource.resource_type = type;
    resource.resource_name = rw_str(name);
    resource.n_configuration_keys = only ? 1 : -1;
    resource.configuration_keys = &key;
    request.include_synonyms = wide;
    request.n_resources = 1;
    request.resources = &resource;
    int32_t node = type == RW_RESOURCE_BROKER ? (int32_t)strtol(name, NULL, 10) : RW_ANY_NODE;
    int rc = rw_cli_client_call(client, node, RW_API_DESCRIBE_CONFIGS, INT16_MAX, &request, &arena,
                                &response);
    const struct rw_describe_configs_response *m = rc == RW_OK ? response : NULL;
    struct rw_describe_configs_response_resource *r = m && m->n_results > 0 ? &m->results[0] : NULL;
    if (rc == RW_OK && !r)
        rc = rw_client_fail(&client->err, RW_E_CORRUPT,
                            "the broker answered without a configuration");
    if (r && r->error_code != 0)
        rc = rw_client_fail_kafka(&client->err, r->error_code, r->error_message.p,
                                  r->error_message.n, "configuration");
    bool found = !only;
    for (int32_t i = 0; rc == RW_OK && i < r->n_configs; i++)
        found |= only && rw_str_is(r->configs[i].name, only);
    if (rc == RW_OK && !found)
        rc = rw_client_fail(&client->err, RW_E_NOT_FOUND, "there is no configuration key \"%s\"",
                            only);
    if (rc == RW_OK && r->n_configs > 1)
        qsort(r->configs, (size_t)r->n_configs, sizeof(*r->configs), by_name);
    if (rc == RW_OK && j)
        add_json(j, r, only);
    else if (rc == RW_OK)
        add_text(client->cli, r, only, wide);
    rw_arena_deinit(&arena);
    return rc;
}
