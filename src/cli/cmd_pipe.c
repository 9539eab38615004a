/* rollway pipe: its options, its life, and what it says at the end. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/pipe.h"
#include "os/os.h"
#include "os/task.h"

enum { COMMIT_MS = 1000 };

/* ---- options ---- */

static int one_of(struct rw_pipe *p, const char *option, const char *const *words, int n, int *ret)
{
    const char *value = rw_cli_string(p->cli, option, NULL);
    for (int i = 0; value && i < n; i++)
        if (strcmp(value, words[i]) == 0) {
            *ret = i;
            return RW_EXIT_OK;
        }
    char list[128] = "";
    for (int i = 0; i < n; i++)
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? ", " : "", words[i]);
    return value ? rw_cli_usage(p->cli, "--%s is one of %s, not \"%s\"", option, list, value)
                 : RW_EXIT_OK;
}

static int take_output(struct rw_pipe *p)
{
    static const char *const policies[] = {"fail", "skip", "pass", "dlq"};
    int policy = p->dlq ? RW_PIPE_DLQ : RW_PIPE_FAIL;
    const char *file = rw_cli_string(p->cli, "to-file", NULL);
    p->topic = rw_cli_string(p->cli, "to-topic", NULL);
    if (file && p->topic)
        return rw_cli_usage(p->cli, "there is one output: --to-file or --to-topic");
    p->to = file ? RW_PIPE_TO_FILE : p->topic ? RW_PIPE_TO_TOPIC : RW_PIPE_TO_STDOUT;
    if (!file && (rw_cli_has(p->cli, "rotate-size") || rw_cli_has(p->cli, "rotate-interval") ||
                  rw_cli_has(p->cli, "rotate-count") || rw_cli_has(p->cli, "rotate-compress") ||
                  rw_cli_has(p->cli, "mode")))
        return rw_cli_usage(p->cli, "--mode and --rotate-... are for --to-file");
    const char *format = rw_cli_string(p->cli, "format", "raw");
    if (!rw_pipe_format_named(format, &p->format))
        return rw_cli_usage(p->cli, "--format is one of raw, json, logfmt, text, not \"%s\"",
                            format);
    int rc = one_of(p, "on-error", policies, 4, &policy);
    p->on_error = (enum rw_pipe_on_error)policy;
    if (rc == RW_EXIT_OK && p->on_error == RW_PIPE_DLQ && !p->dlq)
        rc = rw_cli_usage(p->cli, "--on-error dlq needs --dlq TOPIC");
    return rc;
}

static int take_parser(struct rw_pipe *p)
{
    struct rw_err err = {.text = ""};
    const char *parser = rw_cli_string(p->cli, "parse", "auto");
    if (rw_pipe_parser_named(parser, &p->parser))
        return RW_EXIT_OK;
    if (strncmp(parser, "pattern:", 8) != 0)
        return rw_cli_usage(
            p->cli, "--parse is one of auto, text, json, logfmt, syslog, pattern:..., not \"%s\"",
            parser);
    p->parser = RW_PIPE_PATTERN;
    return rw_pipe_pattern_new(rw_str(parser + 8), &p->pattern, &err) == RW_OK
               ? RW_EXIT_OK
               : rw_cli_usage(p->cli, "--parse: %s", err.text);
}

static int take_options(struct rw_pipe *p)
{
    struct rw_err err = {.text = ""};
    const char *where = rw_cli_string(p->cli, "where", NULL);
    const char *offset = rw_cli_string(p->cli, "offset", "start");
    p->from = rw_cli_operand(p->cli, 0);
    p->dlq = rw_cli_string(p->cli, "dlq", NULL);
    p->key_field = rw_cli_string(p->cli, "key", NULL);
    p->group = rw_cli_string(p->cli, "group", NULL);
    p->by_key = rw_cli_has(p->cli, "by-key");
    p->exit_at_end = rw_cli_has(p->cli, "exit");
    p->from_end = strcmp(offset, "end") == 0;
    p->commit_ms = rw_cli_int(p->cli, "commit-interval", COMMIT_MS);
    if (!p->from_end && strcmp(offset, "start") != 0)
        return rw_cli_usage(p->cli, "--offset is start or end, not \"%s\"", offset);
    if (p->group && strcmp(p->from, "-") == 0)
        return rw_cli_usage(p->cli, "--group is for topics: standard input has no offsets");
    if (rw_cli_has(p->cli, "checkpoint") && strcmp(p->from, "-") == 0)
        return rw_cli_usage(p->cli, "--checkpoint is for topics: standard input has no offsets");
    if (p->commit_ms < 1)
        return rw_cli_usage(p->cli, "--commit-interval must be more than 0");
    int rc = take_output(p);
    if (rc != RW_EXIT_OK)
        return rc;
    p->parses = rw_cli_has(p->cli, "parse") || where || p->format != RW_PIPE_AS_RAW || p->key_field;
    if (where && rw_pipe_filter_new(rw_str(where), &rw_pipe_regex, &p->filter, &err) != RW_OK)
        return rw_cli_usage(p->cli, "--where: %s", err.text);
    return take_parser(p);
}

/* ---- the checkpoint ---- */

/* Beside the output file; else below the state directory, by what the pipe does. */
static int default_path(struct rw_pipe *p, struct rw_buf *out)
{
    char dir[RW_PIPE_PATH];
    struct rw_vfs *vfs = rw_os_env()->vfs;
    if (p->to == RW_PIPE_TO_FILE) {
        rw_buf_printf(out, "%s.checkpoint", rw_cli_string(p->cli, "to-file", ""));
        return RW_EXIT_OK;
    }
    if (rw_os_state_dir(dir, sizeof(dir)))
        return rw_cli_usage(p->cli,
                            "there is no state directory here: --checkpoint FILE is needed");
    rw_buf_printf(out, "%s/pipe", dir);
    for (char *c = dir + 1; *c; c++)
        if (*c == '/') {
            *c = 0;
            (void)vfs->ops->mkdir(vfs, dir); /* what is wrong is told when the file is opened */
            *c = '/';
        }
    (void)vfs->ops->mkdir(vfs, dir);
    (void)vfs->ops->mkdir(vfs, rw_buf_cstr(out));
    rw_buf_printf(out, "/%s+%s.checkpoint", p->from,
                  p->topic ? p->topic : ""); /* no topic has a '+' */
    return RW_EXIT_OK;
}

static int open_checkpoint(struct rw_pipe *p)
{
    struct rw_err err = {.text = ""};
    struct rw_buf path;
    const char *given = rw_cli_string(p->cli, "checkpoint", NULL);
    /* What goes to standard output once is usually wanted again: no checkpoint but one that was asked for. A group is one, but for
     * files, which have to be cut back. */
    if (!given && p->to != RW_PIPE_TO_FILE && (p->group || p->to == RW_PIPE_TO_STDOUT))
        return RW_EXIT_OK;
    rw_buf_init(&path);
    int exit_code = RW_EXIT_OK;
    if (given)
        rw_buf_add_str(&path, given);
    else
        exit_code = default_path(p, &path);
    if (exit_code == RW_EXIT_OK) {
        int rc = path.failed
                     ? RW_E_NOMEM
                     : rw_pipe_checkpoint_open(&p->checkpoint, rw_buf_cstr(&path), p->from, &err);
        if (!rc && rw_cli_has(p->cli, "to-file"))
            rc = rw_pipe_checkpoint_lock_output(&p->checkpoint,
                                                rw_cli_string(p->cli, "to-file", ""), &err);
        if (rc)
            exit_code = rw_cli_fail(p->cli, rc == RW_E_LOCKED ? RW_EXIT_EXISTS : RW_EXIT_FAILED,
                                    NULL, "%s", err.text);
    }
    rw_buf_deinit(&path);
    return exit_code;
}

/* ---- the end ---- */

static void summary(struct rw_pipe *p)
{
    if (rw_cli_json(p->cli)) {
        struct rw_buf text;
        struct rw_json j;
        rw_buf_init(&text);
        rw_json_init(&j, &text, 0);
        rw_json_object(&j, NULL);
        rw_json_int(&j, "read", p->read);
        rw_json_int(&j, "written", p->written);
        rw_json_int(&j, "filtered", p->filtered);
        rw_json_int(&j, "dead", p->dead);
        rw_json_int(&j, "skipped", p->skipped);
        rw_json_end(&j);
        fprintf(stderr, "%s\n", rw_buf_cstr(&text));
        rw_buf_deinit(&text);
        return;
    }
    if (p->dead || p->skipped || rw_cli_verbose(p->cli))
        rw_cli_note(
            p->cli,
            "%lld read, %lld written, %lld filtered out, %lld to the dead letters, %lld skipped",
            (long long)p->read, (long long)p->written, (long long)p->filtered, (long long)p->dead,
            (long long)p->skipped);
}

static int transfer(struct rw_pipe *p)
{
    bool input = strcmp(p->from, "-") == 0;
    int rc = input ? RW_EXIT_OK : open_checkpoint(p);
    if (rc == RW_EXIT_OK)
        rc = rw_pipe_output_open(p);
    if (rc != RW_EXIT_OK)
        return rc;
    rw_progress_start(&p->progress, p->cli, "records", 0);
    p->progress.on &= p->to != RW_PIPE_TO_STDOUT;
    rc = input ? rw_pipe_read_stdin(p) : rw_pipe_read_topic(p);
    rw_progress_end(&p->progress);
    summary(p);
    return rc;
}

static int run(struct rw_cli *cli)
{
    struct rw_pipe *p = rw_zalloc(sizeof(*p));
    if (!p)
        return rw_cli_fail(cli, RW_EXIT_FAILED, NULL, "out of memory");
    p->cli = cli;
    rw_pipe_record_init(&p->fields);
    rw_buf_init(&p->rendered);
    rw_buf_init(&p->pending);
    rw_pipe_checkpoint_init(&p->checkpoint);
    signal(SIGHUP, SIG_IGN); /* a file that was moved is noticed within a second */
    int rc = take_options(p);
    if (rc == RW_EXIT_OK)
        rc = transfer(p);
    rw_pipe_output_close(p);
    rw_consumer_free(p->consumer);
    rw_cli_client_deinit(&p->source);
    rw_cli_client_deinit(&p->groups);
    rw_pipe_checkpoint_deinit(&p->checkpoint);
    rw_pipe_group_deinit(&p->group_offsets);
    rw_pipe_filter_free(p->filter);
    rw_pipe_pattern_free(p->pattern);
    rw_pipe_record_deinit(&p->fields);
    rw_buf_deinit(&p->rendered);
    rw_buf_deinit(&p->pending);
    rw_free(p->ends);
    rw_free(p);
    return rc;
}

static const struct rw_option options[] = {
    {"to-file", 0, RW_OPT_STRING, "FILE", "write lines to this file", "file"},
    {"to-topic", 0, RW_OPT_STRING, "TOPIC", "write records to this topic", "topic"},
    {"parse", 0, RW_OPT_STRING, "FORMAT",
     "how lines are written: auto, text, json, logfmt, syslog, pattern:... (default auto)",
     "auto|text|json|logfmt|syslog"},
    {"where", 'w', RW_OPT_STRING, "EXPRESSION", "only lines for which this holds: see below", NULL},
    {"format", 'f', RW_OPT_STRING, "FORMAT",
     "write raw (as it came), json, logfmt or text (the message alone; default raw)",
     "raw|json|logfmt|text"},
    {"offset", 'o', RW_OPT_STRING, "OFFSET",
     "where to begin without a checkpoint: start or end (default start)", "start|end"},
    {"exit", 'e', RW_OPT_FLAG, NULL, "exit at the end of what is there now", NULL},
    {"checkpoint", 0, RW_OPT_STRING, "FILE",
     "where progress is stored (default FILE.checkpoint, or in the state directory)", "file"},
    {"group", 'g', RW_OPT_STRING, "GROUP",
     "commit progress to this consumer group as well, and begin there without a checkpoint", NULL},
    {"commit-interval", 0, RW_OPT_DURATION, "TIME",
     "make the output durable and store progress this often (default 1s)", NULL},
    {"on-error", 0, RW_OPT_STRING, "POLICY",
     "lines that can not be parsed: fail, skip, pass or dlq (default fail; with --dlq dlq)",
     "fail|skip|pass|dlq"},
    {"dlq", 0, RW_OPT_STRING, "TOPIC", "the topic of dead letters", "topic"},
    {"key", 'k', RW_OPT_STRING, "FIELD", "the key of the records written is this field", NULL},
    {"by-key", 0, RW_OPT_FLAG, NULL, "choose the partition by the key, not by the one it came from",
     NULL},
    {"compression", 'z', RW_OPT_STRING, "CODEC",
     "of the records written: none, gzip, snappy, lz4 or zstd (default none)",
     "none|gzip|snappy|lz4|zstd"},
    {"rotate-size", 0, RW_OPT_STRING, "SIZE", "begin a new file before this one is larger", NULL},
    {"rotate-interval", 0, RW_OPT_STRING, "TIME", "begin a new file this often, e.g. 1h", NULL},
    {"rotate-count", 0, RW_OPT_STRING, "N", "keep this many rotated files", NULL},
    {"rotate-compress", 0, RW_OPT_STRING, "CODEC", "compress rotated files: gzip or zstd",
     "gzip|zstd"},
    {"mode", 0, RW_OPT_STRING, "OCTAL", "permissions of new files (default 0640)", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

static const struct rw_example examples[] = {
    {"rollway pipe app-logs --to-file /var/log/all/app.log --rotate-size 100MiB --rotate-compress "
     "zstd",
     "a topic into rotated files"},
    {"rollway pipe app-logs -w 'level >= warn' --to-topic app-errors --dlq app-logs.dlq",
     "what matters into another topic"},
    {"tail -F /var/log/syslog | rollway pipe - --parse syslog -f json --to-topic logs",
     "syslog as JSON into a topic"},
    {"rollway pipe app-logs -e -w 'path =~ \"^/api/\" and status >= 500' -f logfmt",
     "looking for something"},
    {NULL, NULL}};

const struct rw_command rw_cmd_pipe = {
    .name = "pipe",
    .operands = "TOPIC|-",
    .operands_complete = "topic",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "from a topic or standard input to files, another topic, or standard output",
    .text = "Reads records, takes them apart where that is asked for, keeps those for which "
            "--where holds, and writes them. It "
            "goes on for ever; with --exit until the end of what is there now.\n"
            "\n"
            "The order of each partition is kept: records of one partition go to one partition of "
            "the other topic, with their key, "
            "headers and time, unless --by-key or --key say otherwise.\n"
            "\n"
            "Progress is stored after the output is durable, in a checkpoint. In files every "
            "record is there once, also after a kill or "
            "a power cut: what was written behind the checkpoint is cut off and comes again. In "
            "topics it is there at least once. "
            "Standard output has a checkpoint only with --checkpoint. With --group the offsets are "
            "committed to a consumer group, too, where the brokers have them; to topics and "
            "standard output that is progress enough.\n"
            "\n"
            "An expression (--where) compares fields: = != < <= > >= (numbers as numbers, levels "
            "by rank), ~ (contains), =~ (regular expression), and a field alone (it is there); "
            "with and, or, not and parentheses. Quotes around what is not one word:\n"
            "\n"
            "    level >= warn and (service = api or path =~ \"^/v[12]/\")\n"
            "    not message ~ \"health check\" and user.id = 42\n"
            "\n"
            "level, time and message also find what others call so: lvl, severity, ts, msg; a.b is "
            "the member b of the object a.\n"
            "\n"
            "A pattern (--parse pattern:...) is text with <fields>; <_> is left out:\n"
            "\n"
            "    <ip> - - [<time>] \"<method> <path> <_>\" <status> <bytes>\n"
            "\n"
            "Lines that can not be parsed end the command, nothing lost (fail); or are left out "
            "(skip), written as they came (pass), or "
            "go to the topic of --dlq as they were, with the headers rollway.dlq.reason, .code "
            "(parse_error, no_value, too_large), .topic, "
            ".partition, .offset and .time. `rollway dlq` shows and replays them.",
    .options = options,
    .examples = examples,
    .run = run,
};
