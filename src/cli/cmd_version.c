/* rollway version: what this binary is. */
#include "cli/commands.h"

#include "base/crc32c.h"
#include "base/json.h"

static int run(struct rw_cli *cli)
{
    struct rw_buf *out = rw_cli_out(cli);
    if (!rw_cli_json(cli)) {
        rw_buf_add_str(out, "rollway " ROLLWAY_VERSION "\n");
        if (rw_cli_verbose(cli))
            rw_buf_printf(out, "compiler: %s\ncrc32c: %s\n", __VERSION__, rw_crc32c_name());
        return RW_EXIT_OK;
    }
    struct rw_json j;
    rw_json_init(&j, out, 2);
    rw_json_object(&j, NULL);
    rw_json_cstr(&j, "name", "rollway");
    rw_json_cstr(&j, "version", ROLLWAY_VERSION);
    rw_json_cstr(&j, "compiler", __VERSION__);
    rw_json_cstr(&j, "crc32c", rw_crc32c_name());
    rw_json_end(&j);
    rw_buf_add_u8(out, '\n');
    return RW_EXIT_OK;
}

const struct rw_command rw_cmd_version = {
    .name = "version",
    .summary = "print the version of this program",
    .local = true,
    .run = run,
};
