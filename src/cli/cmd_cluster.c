/* rollway cluster info, health, config get, config set. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>
#include "cli/alter.h"
#include "cli/configs.h"
#include "base/json.h"
#include "cli/table.h"

/* ---- info ---- */

static void info_json(struct rw_cli_client *c)
{
    struct rw_json j;
    int partitions = 0;
    rw_json_init(&j, rw_cli_out(c->cli), 2);
    rw_json_object(&j, NULL);
    rw_json_cstr(&j, "cluster_id", c->cluster->cluster_id[0] ? c->cluster->cluster_id : NULL);
    rw_json_int(&j, "controller", c->cluster->controller);
    rw_json_array(&j, "brokers");
    for (int i = 0; i < c->cluster->n_nodes; i++) {
        const struct rw_node *n = &c->cluster->nodes[i];
        rw_json_object(&j, NULL);
        rw_json_int(&j, "id", n->id);
        rw_json_cstr(&j, "host", n->host);
        rw_json_int(&j, "port", n->port);
        rw_json_cstr(&j, "rack", n->rack[0] ? n->rack : NULL);
        rw_json_bool(&j, "controller", n->id == c->cluster->controller);
        rw_json_end(&j);
    }
    rw_json_end(&j);
    for (int i = 0; i < c->cluster->n_topics; i++)
        partitions += c->cluster->topics[i]->n_partitions;
    rw_json_int(&j, "topics", c->cluster->n_topics);
    rw_json_int(&j, "partitions", partitions);
    rw_json_end(&j);
    rw_buf_add_u8(rw_cli_out(c->cli), '\n');
}

struct share {
    int leads, replicas, behind;
};

/* What one broker has of all partitions. */
static struct share share_of(const struct rw_cluster *c, int32_t id)
{
    struct share s = {0, 0, 0};
    for (int i = 0; i < c->n_topics; i++)
        for (int32_t k = 0; k < c->topics[i]->n_partitions; k++) {
            const struct rw_topic_partition *p = &c->topics[i]->partitions[k];
            bool has = false, in_sync = false;
            for (int32_t r = 0; r < p->n_replicas; r++)
                has |= p->replicas[r] == id;
            for (int32_t r = 0; r < p->n_isr; r++)
                in_sync |= p->isr[r] == id;
            s.leads += p->leader == id;
            s.replicas += has;
            s.behind += has && !in_sync;
        }
    return s;
}

static void info_text(struct rw_cli_client *c, bool wide)
{
    static const char *const names[] = {">ID", "HOST", ">PORT", "RACK", "CONTROLLER", NULL};
    static const char *const all[] = {">ID",    "HOST",      ">PORT",        "RACK", "CONTROLLER",
                                      ">LEADS", ">REPLICAS", ">OUT-OF-SYNC", NULL};
    struct rw_table t;
    struct rw_buf *out = rw_cli_out(c->cli);
    int partitions = 0;
    for (int i = 0; i < c->cluster->n_topics; i++)
        partitions += c->cluster->topics[i]->n_partitions;
    if (!rw_cli_plain(c->cli))
        rw_buf_printf(out, "cluster     %s\ntopics      %d\npartitions  %d\n\n",
                      c->cluster->cluster_id[0] ? c->cluster->cluster_id : "-",
                      c->cluster->n_topics, partitions);
    rw_table_init(&t, wide ? all : names);
    for (int i = 0; i < c->cluster->n_nodes; i++) {
        const struct rw_node *n = &c->cluster->nodes[i];
        rw_table_cell(&t, "%d", n->id);
        rw_table_cell(&t, "%s", n->host);
        rw_table_cell(&t, "%d", n->port);
        rw_table_cell(&t, "%s", n->rack[0] ? n->rack : "-");
        rw_table_cell(&t, "%s", n->id == c->cluster->controller ? "yes" : "-");
        if (!wide)
            continue;
        struct share s = share_of(c->cluster, n->id);
        rw_table_cell(&t, "%d", s.leads);
        rw_table_cell(&t, "%d", s.replicas);
        rw_table_cell(&t, "%d", s.behind);
    }
    rw_table_render(&t, rw_cli_plain(c->cli), rw_cli_colour(c->cli, 1), out);
    rw_table_deinit(&t);
}

static int run_info(struct rw_cli *cli)
{
    struct rw_cli_client c;
    bool wide;
    int rc = rw_cli_wide(cli, &wide);
    if (rc != RW_EXIT_OK)
        return rc;
    rc = rw_cli_client_init(&c, cli, 30000);
    int code = rc == RW_EXIT_OK ? rw_cluster_refresh(c.cluster, NULL, -1, false, &c.err) : RW_OK;
    if (code != RW_OK)
        rc = rw_cli_client_fail(&c, code);
    else if (rc == RW_EXIT_OK && rw_cli_json(cli))
        info_json(&c);
    else if (rc == RW_EXIT_OK)
        info_text(&c, wide);
    rw_cli_client_deinit(&c);
    return rc;
}

/* ---- health ---- */

struct health {
    int brokers, unreachable, partitions, leaderless, under_replicated;
    bool controller;
};

/* Every broker is really spoken to: one that is known but not reachable is not healthy. */
static int look(struct rw_cli_client *c, struct health *h)
{
    int code = rw_cluster_refresh(c->cluster, NULL, -1, false, &c->err);
    *h = (struct health){.brokers = c->cluster->n_nodes};
    if (code != RW_OK)
        return code;
    h->brokers = c->cluster->n_nodes;
    h->controller = rw_cluster_node(c->cluster, c->cluster->controller) != NULL;
    for (int i = 0; i < c->cluster->n_nodes; i++) {
        struct rw_conn *conn;
        int rc = rw_cluster_conn(c->cluster, c->cluster->nodes[i].id, &conn, &c->err);
        if (rc == RW_E_CANCELED)
            return rc;
        if (rc != RW_OK) {
            h->unreachable++;
            rw_cli_note(c->cli, "%s%s%s", c->err.text, c->err.hint[0] ? "; " : "", c->err.hint);
        }
    }
    for (int i = 0; i < c->cluster->n_topics; i++) {
        const struct rw_topic *t = c->cluster->topics[i];
        h->partitions += t->n_partitions;
        for (int32_t k = 0; k < t->n_partitions; k++) {
            h->leaderless += t->partitions[k].leader < 0;
            h->under_replicated += t->partitions[k].n_isr < t->partitions[k].n_replicas;
        }
    }
    return RW_OK;
}

static bool healthy(const struct health *h)
{
    return h->brokers > 0 && h->controller && !h->unreachable && !h->leaderless &&
           !h->under_replicated;
}

static void show_health(struct rw_cli *cli, const struct health *h)
{
    struct rw_buf *out = rw_cli_out(cli);
    if (!rw_cli_json(cli)) {
        rw_buf_printf(
            out,
            "%s: brokers %d (%d unreachable), controller %s, partitions %d (%d without leader, %d "
            "under-replicated)\n",
            healthy(h) ? "healthy" : "unhealthy", h->brokers, h->unreachable,
            h->controller ? "yes" : "no", h->partitions, h->leaderless, h->under_replicated);
        return;
    }
    struct rw_json j;
    rw_json_init(&j, out, 0);
    rw_json_object(&j, NULL);
    rw_json_bool(&j, "healthy", healthy(h));
    rw_json_int(&j, "brokers", h->brokers);
    rw_json_int(&j, "unreachable_brokers", h->unreachable);
    rw_json_bool(&j, "controller", h->controller);
    rw_json_int(&j, "partitions", h->partitions);
    rw_json_int(&j, "leaderless_partitions", h->leaderless);
    rw_json_int(&j, "under_replicated_partitions", h->under_replicated);
    rw_json_end(&j);
    rw_buf_add_u8(out, '\n');
}

static int run_health(struct rw_cli *cli)
{
    struct rw_cli_client c;
    bool until_healthy = rw_cli_has(cli, "exit-when-healthy");
    bool watch = rw_cli_has(cli, "watch") || until_healthy;
    int rc = rw_cli_client_init(&c, cli, watch && !until_healthy ? 0 : 30000);
    while (rc == RW_EXIT_OK) {
        struct health h;
        size_t none;
        int code = look(&c, &h);
        bool late = c.cluster->deadline_us <= rw_cluster_now(c.cluster);
        bool fine = code == RW_OK && healthy(&h);
        if (code != RW_OK && (!until_healthy || late || code == RW_E_CANCELED)) {
            rc = rw_cli_client_fail(&c, code);
            break;
        }
        if (code == RW_OK && (!until_healthy || fine || late))
            show_health(cli, &h);
        if (!watch || (until_healthy && fine) || late) {
            rc = fine ? RW_EXIT_OK : RW_EXIT_UNHEALTHY;
            break;
        }
        if (rw_cli_flush(cli) != RW_OK)
            rc = RW_EXIT_FAILED;
        if (rw_dial_wait(&c.dialer, NULL, 0, until_healthy ? 200000 : 2000000, &none) ==
            RW_E_CANCELED)
            rc = RW_EXIT_INTERRUPTED;
    }
    rw_cli_client_deinit(&c);
    return rc;
}

/* ---- config get ---- */

static int run_config_get(struct rw_cli *cli)
{
    struct rw_cli_client c;
    struct rw_json j;
    char name[16];
    const char *key = rw_cli_operand_count(cli) ? rw_cli_operand(cli, 0) : NULL;
    bool json = rw_cli_json(cli), wide;
    int rc = rw_cli_wide(cli, &wide);
    if (rc != RW_EXIT_OK)
        return rc;
    rc = rw_cli_client_init(&c, cli, 30000);
    int code = rc == RW_EXIT_OK ? rw_cluster_connect(c.cluster, &c.err) : RW_OK;
    if (rc == RW_EXIT_OK && code == RW_OK && c.cluster->n_nodes == 0)
        code = rw_client_fail(&c.err, RW_E_NOT_FOUND, "the cluster has no brokers yet");
    if (rc == RW_EXIT_OK && code == RW_OK) {
        snprintf(name, sizeof(name), "%d", (int)rw_cli_int(cli, "broker", c.cluster->nodes[0].id));
        rw_json_init(&j, rw_cli_out(cli), 2);
        if (json) {
            rw_json_object(&j, NULL);
            rw_json_int(&j, "broker", rw_cli_int(cli, "broker", c.cluster->nodes[0].id));
        }
        code = rw_cli_configs(&c, RW_RESOURCE_BROKER, name, key, wide, json ? &j : NULL);
        if (json && code == RW_OK) {
            rw_json_end(&j);
            rw_buf_add_u8(rw_cli_out(cli), '\n');
        }
    }
    if (code != RW_OK) {
        rw_buf_clear(rw_cli_out(cli));
        rc = rw_cli_client_fail(&c, code);
    }
    rw_cli_client_deinit(&c);
    return rc;
}

/* ---- config set ---- */

static int change(struct rw_cli *cli, struct rw_cli_client *client, struct rw_arena *arena)
{
    char id[16] = "";
    if (rw_cli_has(cli, "broker"))
        snprintf(id, sizeof(id), "%d", (int)rw_cli_int(cli, "broker", 0));
    const struct rw_str name = rw_str(id);
    struct rw_alter what = {.type = RW_RESOURCE_BROKER,
                            .names = &name,
                            .n_names = 1,
                            .noun = "broker",
                            .n_sets = rw_cli_operand_count(cli)};
    return rw_cli_alter(client, arena, &what);
}

static int run_config_set(struct rw_cli *cli)
{
    return rw_cli_with_client(cli, 30000, change);
}

static const struct rw_option info_options[] = {RW_OPTION_OUTPUT,
                                                {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

const struct rw_command rw_cmd_cluster_info = {
    .name = "cluster info",
    .aliases = "cluster status",
    .summary = "show brokers, controller and counts",
    .options = info_options,
    .run = run_info,
};

static const struct rw_option health_options[] = {
    {"watch", 'w', RW_OPT_FLAG, NULL, "look again every two seconds", NULL},
    {"exit-when-healthy", 'e', RW_OPT_FLAG, NULL, "wait until all is well (at most --timeout)",
     NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

const struct rw_command rw_cmd_cluster_health = {
    .name = "cluster health",
    .summary = "tell whether all brokers and partitions are well",
    .text = "Exit code 0: healthy, 8: not, 3: no broker can be reached. Every broker is connected "
            "to under "
            "the address that it advertises.",
    .options = health_options,
    .run = run_health,
};

static const struct rw_option config_options[] = {
    {"broker", 0, RW_OPT_INT, "ID", "which broker (default: the first one)", NULL},
    RW_OPTION_OUTPUT,
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

const struct rw_command rw_cmd_cluster_config_get = {
    .name = "cluster config get",
    .operands = "KEY",
    .operands_max = 1,
    .summary = "show a broker's configuration",
    .options = config_options,
    .run = run_config_get,
};

static const struct rw_option set_options[] = {
    {"broker", 0, RW_OPT_INT, "ID", "only this broker (default: all, also those to come)", NULL},
    {"set", 's', RW_OPT_LIST, "KEY=VALUE", "the same as the operand; may be repeated", NULL},
    {"delete", 'd', RW_OPT_LIST, "KEY", "back to what the configuration file says; may be repeated",
     NULL},
    {"append", 0, RW_OPT_LIST, "KEY=VALUE", "add to a list, e.g. log.cleanup.policy=compact", NULL},
    {"subtract", 0, RW_OPT_LIST, "KEY=VALUE", "remove from a list", NULL},
    {"dry", 0, RW_OPT_FLAG, NULL, "only check whether it could be done", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

static const struct rw_example set_examples[] = {
    {"rollway cluster config set log.retention.ms=3d message.max.bytes=4MiB",
     "what topics get that do not say otherwise, from now on"},
    {"rollway cluster config set --delete log.retention.ms", "as the configuration file says"},
    {NULL, NULL}};

const struct rw_command rw_cmd_cluster_config_set = {
    .name = "cluster config set",
    .operands = "KEY=VALUE...",
    .operands_max = -1,
    .summary = "change the brokers' configuration while they run",
    .text =
        "Only keys that may change while a broker runs: `rollway cluster config get --json` has "
        "read_only false for them. What is set here is stored in the cluster, survives "
        "restarts and wins over configuration files; one broker's own values win over those "
        "for all.",
    .options = set_options,
    .examples = set_examples,
    .run = run_config_set,
};
