/* The way of a command to the cluster. */
#include "cli/connect.h"

#include <stdlib.h>
#include <string.h>
#include "os/dial.h"
#include "os/os.h"

/* What requests and answers of one command may take. */
#define CALL_MEMORY (64u << 20)

static bool canceled(void *arg)
{
    (void)arg;
    return rw_cli_interrupted();
}

int rw_cli_wide(struct rw_cli *cli, bool *ret_wide)
{
    const char *format = rw_cli_string(cli, "output", "");
    *ret_wide = strcmp(format, "wide") == 0;
    if (*ret_wide || !rw_cli_has(cli, "output"))
        return RW_EXIT_OK;
    return rw_cli_usage(cli, "--output is wide, not '%s'; there are --json and --plain, too",
                        format);
}

int rw_cli_client_init(struct rw_cli_client *c, struct rw_cli *cli, int64_t timeout_ms)
{
    struct rw_cluster_options o;
    const char *from_env = getenv("ROLLWAY_BROKERS");
    *c = (struct rw_cli_client){.cli = cli};
    rw_os_dialer_init(&c->dialer);
    c->dialer.canceled = canceled;
    rw_cluster_options_init(&o);
    if (from_env && *from_env)
        o.brokers = from_env;
    o.brokers = rw_cli_string(cli, "brokers", o.brokers);
    o.connect_timeout_us = rw_cli_int(cli, "connect-timeout", o.connect_timeout_us / 1000) * 1000;
    timeout_ms = rw_cli_int(cli, "timeout", timeout_ms);
    if (o.connect_timeout_us <= 0 || timeout_ms < 0)
        return rw_cli_usage(cli, "a time limit must be more than 0");
    if (rw_cluster_check_addresses(o.brokers, &c->err) != RW_OK)
        return rw_cli_fail(cli, RW_EXIT_USAGE, c->err.hint[0] ? c->err.hint : NULL, "%s",
                           c->err.text);
    if (rw_cluster_new(rw_os_env(), &c->dialer, &o, &c->cluster) != RW_OK)
        return rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "out of memory");
    if (timeout_ms > 0)
        c->cluster->deadline_us = rw_cluster_now(c->cluster) + timeout_ms * 1000;
    return RW_EXIT_OK;
}

void rw_cli_client_deinit(struct rw_cli_client *c)
{
    rw_cluster_free(c->cluster);
    c->cluster = NULL;
}

int rw_cli_with_client(struct rw_cli *cli, int64_t timeout_ms,
                       int (*work)(struct rw_cli *, struct rw_cli_client *, struct rw_arena *))
{
    struct rw_cli_client client;
    struct rw_arena arena;
    int rc = rw_cli_client_init(&client, cli, timeout_ms);
    rw_arena_init(&arena, CALL_MEMORY);
    if (rc == RW_EXIT_OK)
        rc = work(cli, &client, &arena);
    rw_arena_deinit(&arena);
    rw_cli_client_deinit(&client);
    return rc;
}

int rw_cli_client_fail(struct rw_cli_client *c, int rc)
{
    if (rc == RW_E_CANCELED && rw_cli_interrupted())
        return RW_EXIT_INTERRUPTED;
    if (rc == RW_E_IO && rw_cli_stdout_failed(c->cli))
        return RW_EXIT_FAILED;
    return rw_cli_fail(c->cli, rw_cli_exit_of(rc), c->err.hint[0] ? c->err.hint : NULL, "%s",
                       c->err.text[0] ? c->err.text : rw_code_text(rc));
}

int rw_cli_client_fail_kafka(struct rw_cli_client *c, int16_t error, struct rw_str message,
                             const char *what)
{
    return rw_cli_client_fail(c, rw_client_fail_kafka(&c->err, error, message.p, message.n, what));
}

int rw_cli_client_call(struct rw_cli_client *c, int32_t node, int16_t api_key, int16_t cap,
                       const void *request, struct rw_arena *arena, void **ret_response)
{
    int rc = rw_cluster_connect(c->cluster, &c->err);
    if (rc != RW_OK)
        return rc;
    return rw_cluster_call(c->cluster, node, api_key, cap, request, false, arena, ret_response,
                           &c->err);
}

int rw_cli_controller_call(struct rw_cli_client *c, int16_t api_key, int16_t cap,
                           const void *request, struct rw_arena *arena,
                           bool (*moved)(const void *response), void **ret_response)
{
    int rc = rw_cluster_connect(c->cluster, &c->err);
    if (rc != RW_OK)
        return rc;
    return rw_cluster_call_controller(c->cluster, api_key, cap, request, arena, moved, ret_response,
                                      &c->err);
}

int rw_cli_exit_of_many(int n, int failed, int first)
{
    return failed == 0 ? RW_EXIT_OK : failed < n ? RW_EXIT_PARTLY : first;
}
