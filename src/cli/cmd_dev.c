/* rollway dev: a broker for a developer's machine, without configuration. */
#include "cli/commands.h"
#include "cli/server_run.h"

static int run(struct rw_cli *cli)
{
    return rw_server_run(cli, RW_PROFILE_DEV);
}

static const struct rw_example examples[] = {
    {"rollway dev", "a broker on 127.0.0.1:9092, data in ./rollway-data"},
    {"rollway dev --data /tmp/try --set listeners=PLAINTEXT://127.0.0.1:9192",
     "elsewhere, on another port"},
    {NULL, NULL}};

const struct rw_command rw_cmd_dev = {
    .name = "dev",
    .summary = "run a broker for trying things out",
    .text = "The same broker as `rollway server` with the defaults of a developer: data in "
            "./rollway-data, listeners on 127.0.0.1 only, topics created when they are first used.",
    .options = rw_server_options,
    .examples = examples,
    .local = true,
    .run = run,
};
