/* rollway log verify: reads everything and checks every CRC, record and index entry. */
#include "cli/commands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/json.h"
#include "cli/log_common.h"
#include "log/log.h"
#include "os/os.h"

#define REPORTS_MAX  1000 /* lines per log; what is beyond is counted */
#define TAIL_TRIES   10
#define TAIL_WAIT_NS 20000000L

struct report {
    struct rw_cli *cli;
    const char *only; /* report what concerns this file; NULL: all */
    uint64_t shown, matching;
};

static void tell(void *arg, const char *file, uint64_t at, int code, const char *why)
{
    struct report *r = arg;
    (void)code;
    if (r->only && strcmp(r->only, file) != 0)
        return;
    r->matching++;
    if (r->shown++ < REPORTS_MAX && !rw_cli_json(r->cli))
        rw_buf_printf(rw_cli_out(r->cli), "%s: position %" PRIu64 ": %s\n", file, at, why);
}

static bool stop(void *arg)
{
    (void)arg;
    return rw_cli_interrupted();
}

/*
 * Unlike reading through the library this must see damage as it lies on disk: the whole of every file
 * counts, also what a reader would take for an append in progress. An append goes on, damage does not:
 * when the log's end moves, a writer is at work, and what lies behind the end is his.
 */
static int find_tail(struct rw_log *log, uint64_t *ret_tail)
{
    int rc = rw_log_rest(log, ret_tail);
    int64_t end = rw_log_end(log);
    for (int i = 0; i < TAIL_TRIES && !rc && *ret_tail && !rw_cli_interrupted(); i++) {
        const struct timespec wait = {.tv_nsec = TAIL_WAIT_NS};
        rc = rw_log_refresh(log, rw_log_start(log));
        if (!rc && rw_log_end(log) != end) {
            *ret_tail = 0;
            return RW_OK;
        }
        (void)nanosleep(&wait, NULL); /* cut short by a signal: then this ends */
        if (!rc)
            rc = rw_log_rest(log, ret_tail);
    }
    return rc;
}

static void print_result(struct rw_cli *cli, const char *dir, int64_t start, int64_t end,
                         const struct rw_log_verify *v)
{
    struct rw_buf *out = rw_cli_out(cli);
    bool bad = v->bad_batches || v->bad_index_entries;
    if (!rw_cli_json(cli)) {
        if (!rw_cli_quiet(cli) || bad)
            rw_buf_printf(out,
                          "%s: %s: offsets %" PRId64 " to %" PRId64 ", %" PRIu64
                          " batches, %" PRIu64 " records, %" PRIu64 " bytes, %" PRIu64
                          " bad batches, %" PRIu64 " bad index entries, checksum %016" PRIx64 "\n",
                          dir, bad ? "DAMAGED" : "ok", start, end, v->batches, v->records, v->bytes,
                          v->bad_batches, v->bad_index_entries, v->checksum);
        return;
    }
    char checksum[17];
    snprintf(checksum, sizeof(checksum), "%016" PRIx64, v->checksum);
    struct rw_json j;
    rw_json_init(&j, out, 0);
    rw_json_object(&j, NULL);
    rw_json_cstr(&j, "log", dir);
    rw_json_bool(&j, "ok", !bad);
    rw_json_int(&j, "start_offset", start);
    rw_json_int(&j, "end_offset", end);
    rw_json_int(&j, "batches", (int64_t)v->batches);
    rw_json_int(&j, "records", (int64_t)v->records);
    rw_json_int(&j, "bytes", (int64_t)v->bytes);
    rw_json_int(&j, "bad_batches", (int64_t)v->bad_batches);
    rw_json_int(&j, "first_bad_offset", v->first_bad_offset);
    rw_json_int(&j, "bad_index_entries", (int64_t)v->bad_index_entries);
    rw_json_cstr(&j, "checksum", checksum);
    rw_json_end(&j);
    rw_buf_add_u8(out, '\n');
}

static int verify_dir(struct rw_cli *cli, const char *dir, void *arg)
{
    struct rw_log_config config;
    struct rw_log *log;
    /* As if all of it had been synced: what is damaged in the middle is not where the log ends. */
    const struct rw_log_open_args args = {
        .read_only = true, .clean = true, .recovery_point = INT64_MAX};
    rw_log_config_init(&config);
    int rc = rw_log_open(rw_os_env(), dir, &config, &args, &log);
    if (rc)
        return rw_cli_fail(cli, rw_cli_exit_of(rc), NULL, "%s: %s", dir, rw_code_text(rc));
    struct report report = {.cli = cli, .only = arg};
    struct rw_log_verify v = {.report = tell, .stop = stop, .arg = &report};
    int64_t start = rw_log_start(log), end = rw_log_end(log);
    rc = rw_log_verify(log, &v);
    uint64_t tail = 0;
    if (!rc)
        rc = find_tail(log, &tail);
    if (tail) {
        v.bad_batches++;
        if (v.first_bad_offset < 0)
            v.first_bad_offset = end;
        report.matching++;
        if (!rw_cli_json(cli))
            rw_buf_printf(rw_cli_out(cli),
                          "%s: the last %" PRIu64 " bytes are not whole batches: a torn write, "
                          "damage, or an append that does not go on\n",
                          dir, tail);
    }
    int exit_code = RW_EXIT_OK;
    if (rc == RW_E_CANCELED)
        exit_code = RW_EXIT_INTERRUPTED;
    else if (rc)
        exit_code = rw_cli_fail(cli, rw_cli_exit_of(rc), NULL, "%s: %s", dir, rw_code_text(rc));
    else
        print_result(cli, dir, start, end, &v);
    if (!exit_code && (arg ? report.matching : v.bad_batches + v.bad_index_entries))
        exit_code = RW_EXIT_UNHEALTHY;
    rc = rw_log_close(log, false);
    return exit_code ? exit_code : rw_cli_exit_of(rc);
}

static int run(struct rw_cli *cli)
{
    int worst = RW_EXIT_OK;
    for (int i = 0; i < rw_cli_operand_count(cli); i++) {
        const char *path = rw_cli_operand(cli, i);
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
        int64_t base;
        const char *suffix;
        int exit_code;
        if (rw_name_parse(name, &base, &suffix)) {
            struct rw_path dir, full;
            char file[4096];
            if (rw_path_parent(&dir, path) || rw_path_join(&full, dir.s, name, NULL))
                return rw_cli_fail(cli, RW_EXIT_USAGE, NULL, "the path is too long: %s", path);
            memcpy(file, full.s, sizeof(file));
            exit_code = verify_dir(cli, dir.s, file);
        } else {
            exit_code = rw_log_each_dir(cli, path, verify_dir, NULL);
        }
        if (exit_code > worst)
            worst = exit_code;
    }
    return worst;
}

static const struct rw_example examples[] = {
    {"rollway log verify /var/lib/rollway", "all partitions of a data directory"},
    {"rollway log verify events-0", "one log; exit status 8 when it is damaged"},
    {NULL, NULL},
};

const struct rw_command rw_cmd_log_verify = {
    .name = "log verify",
    .operands = "PATH...",
    .operands_complete = "file",
    .operands_min = 1,
    .operands_max = -1,
    .summary = "check every CRC, record and index entry of logs",
    .text =
        "PATH is a log directory, a data directory with logs in it, or one file of a log. Nothing "
        "is changed; it may run beside a broker.\n\n"
        "The checksum is that of all batches without base offset and leader epoch: replicas of one "
        "partition have the same.",
    .examples = examples,
    .local = true,
    .run = run,
};
