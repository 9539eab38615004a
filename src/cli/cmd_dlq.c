/* rollway dlq list and show: records that could not be delivered or processed, and why. */
#include "cli/commands.h"

#include <inttypes.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/dead_places.h"
#include "cli/record_json.h"
#include "cli/table.h"
#include "cli/when.h"
#include "os/os.h"

enum { REASONS = 32, REASON_TEXT = 64, SCAN = 100000 };
#define FLUSH_AT (256u << 10)

static int take_range(struct rw_cli *cli, struct rw_offset_range *ret)
{
    const char *text = rw_cli_string(cli, "offset", "start");
    if (rw_parse_offsets(text, rw_wall_ms(rw_os_env()->clock), ret))
        return RW_EXIT_OK;
    return rw_cli_usage(cli, "\"%s\" is no offset: start, 47, +10, -10, 5:10, @-1h, @t1:t2", text);
}

/* ---- list ---- */

struct summary {
    int64_t records, scanned, most, oldest_ms, newest_ms;
    int n_reasons;
    struct {
        char text[REASON_TEXT];
        int64_t n;
    } reasons[REASONS]; /* the last one: all others */
};

static int add_letter(void *arg, const struct rw_dead_letter *l)
{
    struct summary *s = arg;
    char text[REASON_TEXT];
    struct rw_slice why = l->reason.p ? l->reason : l->code;
    if (s->scanned == s->most)
        return 1;
    if (s->scanned == 0 || l->timestamp < s->oldest_ms)
        s->oldest_ms = l->timestamp;
    if (s->scanned == 0 || l->timestamp > s->newest_ms)
        s->newest_ms = l->timestamp;
    s->scanned++;
    size_t whole = rw_utf8_prefix(why.p, why.n < REASON_TEXT - 1 ? why.n : REASON_TEXT - 1);
    snprintf(text, sizeof(text), "%.*s", (int)whole, why.p ? (const char *)why.p : "");
    if (!*text)
        snprintf(text, sizeof(text), "%s", why.n ? "(not UTF-8)" : "(none)");
    int i = 0;
    while (i < s->n_reasons && strcmp(s->reasons[i].text, text) != 0)
        i++;
    if (i == REASONS)
        i = REASONS - 1;
    if (i == s->n_reasons) {
        snprintf(s->reasons[i].text, REASON_TEXT, "%s", i == REASONS - 1 ? "(others)" : text);
        s->n_reasons++;
    }
    s->reasons[i].n++;
    return RW_OK;
}

static void summary_json(struct rw_json *j, const struct rw_dead_place *p, const struct summary *s)
{
    rw_json_object(j, NULL);
    rw_json_cstr(j, "topic", p->topic);
    if (p->log_dir)
        rw_json_cstr(j, "path", p->log_dir);
    rw_json_int(j, "partitions", p->n_partitions);
    rw_json_int(j, "records", s->records);
    if (s->scanned) {
        rw_json_int(j, "oldest_ms", s->oldest_ms);
        rw_json_int(j, "newest_ms", s->newest_ms);
    }
    rw_json_int(j, "scanned", s->scanned);
    rw_json_array(j, "reasons");
    for (int i = 0; i < s->n_reasons; i++) {
        rw_json_object(j, NULL);
        rw_json_cstr(j, "reason", s->reasons[i].text);
        rw_json_int(j, "records", s->reasons[i].n);
        rw_json_end(j);
    }
    rw_json_end(j);
    rw_json_end(j);
}

static void summary_row(struct rw_table *t, const struct rw_dead_place *p, const struct summary *s)
{
    char time[RW_TIME_TEXT];
    struct rw_buf reasons;
    rw_table_cell(t, "%s", p->log_dir ? p->log_dir : p->topic);
    rw_table_cell(t, "%d", p->n_partitions);
    rw_table_cell(t, "%" PRId64, s->records);
    for (int i = 0; i < 2; i++)
        if (s->scanned)
            rw_table_cell(t, "%s", rw_format_time(i ? s->newest_ms : s->oldest_ms, time));
        else
            rw_table_cell_n(t, NULL, -1);
    rw_buf_init(&reasons);
    for (int i = 0; i < s->n_reasons; i++)
        rw_buf_printf(&reasons, "%s%s %" PRId64, i ? ", " : "", s->reasons[i].text,
                      s->reasons[i].n);
    if (s->scanned < s->records)
        rw_buf_printf(&reasons, " (of the first %" PRId64 ")", s->scanned);
    rw_table_cell(t, "%s", reasons.n ? rw_buf_cstr(&reasons) : "-");
    rw_buf_deinit(&reasons);
}

static int list_work(struct rw_cli *cli, struct rw_cli_client *c, struct rw_arena *arena)
{
    static const char *const names[] = {"TOPIC",  ">PARTITIONS", ">RECORDS", "OLDEST",
                                        "NEWEST", "REASONS",     NULL};
    static const struct rw_offset_range all = {.from = {.kind = RW_POINT_START}};
    struct rw_dead_places places = {.topics = {NULL, 0}};
    struct rw_table table;
    struct rw_json j;
    (void)arena;
    if (rw_cli_int(cli, "scan", 0) < 0)
        return rw_cli_usage(cli, "--scan is a number of records: 0 or more");
    int exit_code = rw_dead_places(c, &places), rc = RW_OK;
    rw_table_init(&table, names);
    rw_json_init(&j, rw_cli_out(cli), 2);
    if (rw_cli_json(cli))
        rw_json_array(&j, NULL);
    for (int i = 0; i < places.topics.n && !exit_code && !rc; i++) {
        struct summary s = {.most = rw_cli_int(cli, "scan", SCAN)};
        struct rw_dead_place p;
        rc = rw_dead_open(&p, c, places.topics.v[i], rw_dead_dir(&places, i));
        for (int32_t k = 0; k < p.n_partitions && !rc; k++)
            s.records += p.ends[k] - p.starts[k];
        if (!rc && s.most > 0)
            rc = rw_dead_read(&p, &all, add_letter, &s);
        if (!rc && rw_cli_json(cli))
            summary_json(&j, &p, &s);
        else if (!rc)
            summary_row(&table, &p, &s);
        rw_dead_close(&p);
    }
    if (rc || exit_code) {
        rw_buf_clear(rw_cli_out(cli));
        exit_code = exit_code ? exit_code : rw_cli_client_fail(c, rc);
    } else if (rw_cli_json(cli)) {
        rw_json_end(&j);
        rw_buf_add_u8(rw_cli_out(cli), '\n');
    } else if (places.topics.n) {
        rw_table_render(&table, rw_cli_plain(cli), rw_cli_colour(cli, 1), rw_cli_out(cli));
    }
    rw_table_deinit(&table);
    rw_dead_places_deinit(&places);
    return exit_code;
}

/* ---- show ---- */

struct show {
    struct rw_cli *cli;
    int64_t shown, most; /* most -1: all */
    int64_t reasons;     /* letters that have one */
};

static void letter_json(struct rw_buf *out, const struct rw_dead_letter *l)
{
    struct rw_json j;
    rw_json_init(&j, out, 0);
    rw_json_object(&j, NULL);
    rw_json_cstr(&j, "topic", l->topic);
    rw_json_int(&j, "partition", l->partition);
    rw_json_int(&j, "offset", l->offset);
    rw_json_int(&j, "timestamp", l->timestamp);
    rw_json_bytes(&j, "reason", l->reason);
    rw_json_bytes(&j, "code", l->code);
    rw_json_object(&j, "source");
    rw_json_bytes(&j, "topic", l->from_topic);
    const struct {
        const char *name;
        struct rw_slice text;
    } numbers[] = {
        {"partition", l->from_partition}, {"offset", l->from_offset}, {"time_ms", l->time}};
    for (int i = 0; i < 3; i++)
        if (rw_dead_number(numbers[i].text) >= 0)
            rw_json_int(&j, numbers[i].name, rw_dead_number(numbers[i].text));
        else
            rw_json_bytes(&j, numbers[i].name, numbers[i].text);
    rw_json_end(&j);
    rw_json_int(&j, "replayed", l->replayed);
    rw_json_bytes(&j, "key", l->key);
    rw_json_bytes(&j, "value", l->value);
    rw_json_array(&j, "headers");
    for (int i = 0; i < l->n_headers; i++) {
        rw_json_object(&j, NULL);
        rw_json_bytes(&j, "key",
                      rw_slice(l->headers[i].key.n > 0 ? l->headers[i].key.p : "",
                               (size_t)l->headers[i].key.n));
        rw_json_bytes(&j, "value", l->headers[i].value);
        rw_json_end(&j);
    }
    rw_json_end(&j);
    rw_json_end(&j);
    rw_buf_add_u8(out, '\n');
}

/* As JSON has it, and the control characters of U+0080 to U+009F as well, which terminals obey: nothing in it does anything to one. */
static void escape(struct rw_buf *out, const void *text, size_t n)
{
    const uint8_t *p = text;
    size_t from = 0;
    for (size_t i = 0; i + 1 < n; i++)
        if (p[i] == 0xc2 && p[i + 1] >= 0x80 && p[i + 1] < 0xa0) {
            rw_json_escape(out, p + from, i - from);
            rw_buf_printf(out, "\\u00%02x", p[i + 1]);
            from = i + 2;
            i++;
        }
    rw_json_escape(out, from < n ? p + from : (const uint8_t *)"", n - from);
}

/* For people. */
static void text_line(struct rw_buf *out, const char *name, struct rw_slice text)
{
    rw_buf_printf(out, "  %-8s ", name);
    if (text.p) {
        rw_buf_add_u8(out, '"');
        escape(out, text.p, text.n);
        rw_buf_add_u8(out, '"');
    } else {
        rw_buf_add_str(out, "null");
    }
    rw_buf_add_u8(out, '\n');
}

static void plain(struct rw_buf *out, struct rw_slice text, const char *missing)
{
    if (text.p)
        escape(out, text.p, text.n);
    else
        rw_buf_add_str(out, missing);
}

static void letter_text(struct rw_buf *out, const struct rw_dead_letter *l)
{
    char time[RW_TIME_TEXT];
    rw_buf_printf(out, "%s-%d offset %" PRId64 "  %s\n", l->topic, l->partition, l->offset,
                  rw_format_time(l->timestamp, time));
    rw_buf_add_str(out, "  reason   ");
    plain(out, l->reason, "(none)");
    if (l->code.p) {
        rw_buf_add_str(out, " (code ");
        plain(out, l->code, "");
        rw_buf_add_u8(out, ')');
    }
    rw_buf_add_str(out, "\n  source   ");
    plain(out, l->from_topic, "(unknown)");
    if (l->from_partition.p) {
        rw_buf_add_u8(out, '-');
        plain(out, l->from_partition, "");
    }
    if (l->from_offset.p) {
        rw_buf_add_str(out, " offset ");
        plain(out, l->from_offset, "");
    }
    if (rw_dead_number(l->time) >= 0)
        rw_buf_printf(out, "  given up %s", rw_format_time(rw_dead_number(l->time), time));
    rw_buf_add_u8(out, '\n');
    if (l->replayed)
        rw_buf_printf(out, "  replayed %" PRId64 " times, and came back\n", l->replayed);
    text_line(out, "key", l->key);
    text_line(out, "value", l->value);
    for (int i = 0; i < l->n_headers; i++) {
        const struct rw_record_header *h = &l->headers[i];
        size_t prefix = sizeof(RW_DLQ_PREFIX) - 1;
        if ((size_t)h->key.n >= prefix && memcmp(h->key.p, RW_DLQ_PREFIX, prefix) == 0)
            continue;
        rw_buf_add_str(out, "  header   ");
        escape(out, h->key.p, (size_t)h->key.n);
        rw_buf_add_str(out, " = ");
        plain(out, h->value, "null");
        rw_buf_add_u8(out, '\n');
    }
}

static int show_letter(void *arg, const struct rw_dead_letter *l)
{
    struct show *s = arg;
    struct rw_buf *out = rw_cli_out(s->cli);
    if (s->shown == s->most)
        return 1;
    s->shown++;
    s->reasons += l->reason.p != NULL;
    if (rw_cli_json(s->cli))
        letter_json(out, l);
    else
        letter_text(out, l);
    return out->n >= FLUSH_AT && rw_cli_flush(s->cli) != RW_OK ? RW_E_IO : RW_OK;
}

static int show_work(struct rw_cli *cli, struct rw_cli_client *c, struct rw_arena *arena)
{
    struct rw_dead_places places = {.topics = {NULL, 0}};
    struct show s = {.cli = cli, .most = rw_cli_int(cli, "num", -1)};
    struct rw_offset_range range;
    (void)arena;
    int exit_code = take_range(cli, &range), rc = RW_OK;
    if (rw_cli_int(cli, "num", 0) < 0)
        exit_code = rw_cli_usage(cli, "--num is a number of letters: 0 or more");
    if (!exit_code)
        exit_code = rw_dead_places(c, &places);
    for (int i = 0; i < places.topics.n && !exit_code && !rc; i++) {
        struct rw_dead_place p;
        rc = rw_dead_open(&p, c, places.topics.v[i], rw_dead_dir(&places, i));
        if (!rc)
            rc = rw_dead_read(&p, &range, show_letter, &s);
        rw_dead_close(&p);
    }
    if (rc)
        exit_code = rw_cli_client_fail(c, rc);
    if (!exit_code && !s.shown)
        rw_cli_note(cli, "no dead letters there");
    else if (!exit_code && !s.reasons)
        rw_cli_note(cli, "none of these records says why: these may be no dead letters");
    rw_dead_places_deinit(&places);
    return exit_code;
}

/* ---- the commands ---- */

static int run_list(struct rw_cli *cli)
{
    return rw_cli_with_client(cli, 0, list_work);
}

static int run_show(struct rw_cli *cli)
{
    return rw_cli_with_client(cli, 0, show_work);
}

static const struct rw_option list_options[] = {
    {"scan", 0, RW_OPT_INT, "N",
     "look at the first N records for reasons and times (default 100000)", NULL},
    RW_OPTION_SPOOL,
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

const struct rw_command rw_cmd_dlq_list = {
    .name = "dlq list",
    .aliases = "dlq ls",
    .operands = "TOPIC...",
    .operands_complete = "topic",
    .operands_min = 0,
    .operands_max = -1,
    .summary = "list topics of dead letters, with the reasons",
    .text = "Without TOPIC: all topics whose name ends in .dlq.",
    .options = list_options,
    .run = run_list,
};

static const struct rw_option show_options[] = {
    {"num", 'n', RW_OPT_INT, "N", "show N letters at most", NULL},
    {"offset", 'o', RW_OPT_STRING, "OFFSET",
     "where to begin and end, as in rollway consume (default start)", "start|end|:end"},
    RW_OPTION_SPOOL,
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL}};

static const struct rw_example show_examples[] = {
    {"rollway dlq show orders.dlq -n 5", "the five oldest, with reason and source"},
    {"rollway dlq show orders.dlq -o -1 --json", "the newest of each partition"},
    {NULL, NULL}};

const struct rw_command rw_cmd_dlq_show = {
    .name = "dlq show",
    .operands = "TOPIC...",
    .operands_complete = "topic",
    .operands_min = 0,
    .operands_max = -1,
    .summary = "show dead letters: why, from where, key, value, headers",
    .text = "Ends at the end of what is there now. With --json a letter is a line: topic, "
            "partition, offset, "
            "timestamp, reason, code, source (topic, partition, offset, time_ms), replayed, key, "
            "value, "
            "headers.",
    .options = show_options,
    .examples = show_examples,
    .run = run_show,
};
