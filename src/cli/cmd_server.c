/* rollway server: a broker with production defaults. */
#include "cli/commands.h"
#include "cli/server_run.h"

static int run(struct rw_cli *cli)
{
    return rw_server_run(cli, RW_PROFILE_SERVER);
}

static const struct rw_example examples[] = {
    {"rollway server --config /etc/rollway/server.properties", "with a configuration file"},
    {"rollway server --set listeners=PLAINTEXT://:9192 --data /srv/rollway", "without one"},
    {"rollway server --config FILE --check-config", "which value comes from where"},
    {NULL, NULL}};

const struct rw_command rw_cmd_server = {
    .name = "server",
    .summary = "run a broker",
    .text =
        "Runs a broker until SIGTERM or SIGINT. Keys have the names of Apache Kafka; they come "
        "from the file of --config, from the environment (ROLLWAY_LISTENERS is listeners, "
        "KAFKA_ names count too) and from --set, the later winning. Without any, data lies in "
        "/var/lib/rollway and clients are served on port 9092.\n"
        "\n"
        "The first SIGTERM or SIGINT lets requests in flight finish, flushes and closes the "
        "data; a second one ends the process at once, and the next start recovers. SIGHUP reads "
        "again what can change while the broker runs.\n"
        "\n"
        "GET /metrics, /livez and /readyz are served on rollway.http.listen.",
    .options = rw_server_options,
    .examples = examples,
    .local = true,
    .run = run,
};
