/* rollway log export: the records of a log as lines of text or JSON. */
#include "cli/commands.h"

#include <inttypes.h>
#include <string.h>
#include "base/json.h"
#include "cli/log_common.h"
#include "cli/progress.h"

#define FLUSH_AT (256u << 10)

static void print_json(struct rw_buf *out, const struct rollway_record *r)
{
    struct rw_json j;
    rw_json_init(&j, out, 0);
    rw_json_object(&j, NULL);
    rw_json_int(&j, "offset", r->offset);
    rw_json_int(&j, "timestamp", r->timestamp_ms);
    rw_json_bytes(&j, "key", rw_slice(r->key, r->key_size));
    rw_json_bytes(&j, "value", rw_slice(r->value, r->value_size));
    rw_json_array(&j, "headers");
    for (size_t i = 0; i < r->headers_count; i++) {
        const struct rollway_header *h = &r->headers[i];
        rw_json_object(&j, NULL);
        rw_json_bytes(&j, "key", rw_slice(h->key_size ? h->key : "", h->key_size));
        rw_json_bytes(&j, "value", rw_slice(h->value, h->value_size));
        rw_json_end(&j);
    }
    rw_json_end(&j);
    rw_json_end(&j);
    rw_buf_add_u8(out, '\n');
}

/* Damage is reported once, and the export goes on where intact records begin. */
static int step_over(struct rw_cli *cli, struct rollway_log *log, struct rollway_cursor *cursor)
{
    const char *text = rollway_log_error(log), *at = strstr(text, "go on at offset ");
    int64_t next = 0;
    rw_cli_fail(cli, RW_EXIT_UNHEALTHY, NULL, "%s", text);
    if (!at || sscanf(at, "go on at offset %" SCNd64, &next) != 1)
        return ROLLWAY_E_CORRUPT;
    return rollway_cursor_seek(cursor, next);
}

static int print_all(struct rw_cli *cli, struct rollway_log *log, struct rollway_cursor *cursor,
                     bool json)
{
    struct rw_buf *out = rw_cli_out(cli);
    struct rollway_record r;
    struct rw_progress progress;
    int64_t limit = rw_cli_int(cli, "limit", INT64_MAX), done = 0, bytes = 0;
    int exit_code = RW_EXIT_OK, rc = 0;
    if (limit < 0)
        return rw_cli_usage(cli, "--limit is a number of records: 0 or more");
    rw_progress_start(&progress, cli, "records",
                      rollway_log_end_offset(log) - rollway_cursor_offset(cursor));
    while (done < limit && !rw_cli_interrupted() && (rc = rollway_cursor_next(cursor, &r)) != 0) {
        if (rc == ROLLWAY_E_CORRUPT) {
            exit_code = RW_EXIT_UNHEALTHY;
            rc = step_over(cli, log, cursor);
            if (!rc)
                continue;
        }
        if (rc < 0)
            break;
        if (json) {
            print_json(out, &r);
        } else {
            rw_buf_add(out, r.value, r.value_size);
            rw_buf_add_u8(out, '\n');
        }
        done++;
        bytes += (int64_t)(r.key_size + r.value_size);
        if (out->n >= FLUSH_AT && rw_cli_flush(cli))
            break;
        if (done % 1000 == 0)
            rw_progress_update(&progress, done, bytes, rw_progress_now());
    }
    rw_progress_end(&progress);
    if (rc < 0 && !exit_code)
        exit_code = rw_log_cli_fail(cli, log, rc);
    return exit_code ? exit_code : rw_cli_interrupted() ? RW_EXIT_INTERRUPTED : RW_EXIT_OK;
}

static int run(struct rw_cli *cli)
{
    const struct rollway_log_options options = {
        .size = sizeof(options), .read_only = 1, .must_exist = 1};
    const char *format = rw_cli_string(cli, "format", "text");
    bool json = strcmp(format, "json") == 0 || rw_cli_json(cli);
    struct rollway_cursor *cursor;
    int exit_code;
    if (!json && strcmp(format, "text") != 0)
        return rw_cli_usage(cli, "--format is text or json");
    struct rollway_log *log = rw_log_cli_open(cli, rw_cli_operand(cli, 0), &options, &exit_code);
    if (!log)
        return exit_code;
    int64_t from = rw_cli_int(cli, "offset", rollway_log_start_offset(log));
    int rc = RW_OK;
    if (rw_cli_has(cli, "time"))
        rc = rollway_log_find_time(log, rw_cli_int(cli, "time", 0), &from);
    if (!rc)
        rc = rollway_cursor_new(log, from, &cursor);
    if (rc) {
        exit_code = rw_log_cli_fail(cli, log, rc);
    } else {
        exit_code = print_all(cli, log, cursor, json);
        rollway_cursor_free(cursor);
    }
    rc = rollway_log_close(log);
    return !exit_code && rc ? rw_log_cli_fail(cli, NULL, rc) : exit_code;
}

static const struct rw_option options_table[] = {
    {"format", 'f', RW_OPT_STRING, "FORMAT", "text: values; json: whole records, one per line",
     "text|json"},
    {"offset", 'o', RW_OPT_INT, "OFFSET", "begin here; default: the first record", NULL},
    {"time", 0, RW_OPT_INT, "MS", "begin at the first record of this Unix time in ms", NULL},
    {"limit", 'n', RW_OPT_INT, "N", "stop after N records", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL},
};

static const struct rw_example examples[] = {
    {"rollway log export events-0", "all values, one per line"},
    {"rollway log export -f json -o 1000 -n 10 events-0", "ten records with everything they have"},
    {NULL, NULL},
};

const struct rw_command rw_cmd_log_export = {
    .name = "log export",
    .operands = "DIR",
    .operands_complete = "dir",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "print the records of a log",
    .text = "May run beside a broker. Bytes that are not UTF-8 are {\"base64\":\"...\"} in JSON. "
            "Damaged "
            "batches are reported and stepped over; the exit status is 8 then.",
    .options = options_table,
    .examples = examples,
    .local = true,
    .run = run,
};
