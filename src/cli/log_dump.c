/* rollway log dump: what is in the files of a log, byte for byte, without opening it as a log. */
#include "cli/commands.h"

#include <inttypes.h>
#include <string.h>
#include "base/bytes.h"
#include "base/assert.h"
#include "base/json.h"
#include "cli/log_common.h"
#include "log/checkpoint.h"
#include "log/index.h"
#include "log/producers.h"
#include "log/scan.h"
#include "os/os.h"

#define FLUSH_AT (256u << 10)

struct dump {
    struct rw_cli *cli;
    struct rw_buf *out;
    const char *path;
    bool json, records;
    int bad; /* exit code so far */
};

static int damaged(struct dump *d, uint64_t at, const char *why)
{
    d->bad = RW_EXIT_UNHEALTHY;
    return rw_cli_fail(d->cli, RW_EXIT_UNHEALTHY, NULL, "%s: position %" PRIu64 ": %s", d->path, at,
                       why);
}

static int spill(struct dump *d)
{
    return d->out->n >= FLUSH_AT ? rw_cli_flush(d->cli) : RW_OK;
}

/* ---- .log ---- */

static void batch_text(struct dump *d, const struct rw_batch *b, uint64_t at, bool crc_ok)
{
    rw_buf_printf(d->out,
                  "batch offsets %" PRId64 "-%" PRId64 " records %" PRId32 " position %" PRIu64
                  " size %zu epoch %" PRId32 " codec %s time %s %" PRId64 " producer %" PRId64
                  " %d sequence %" PRId32 "%s%s crc %08x %s\n",
                  b->base_offset, rw_batch_last_offset(b), b->records_count, at, rw_batch_size(b),
                  b->leader_epoch, rw_codec_name(rw_batch_codec(b)),
                  b->attributes & RW_ATTR_LOG_APPEND_TIME ? "append" : "create", b->max_timestamp,
                  b->producer_id, b->producer_epoch, b->base_sequence,
                  b->attributes & RW_ATTR_TRANSACTIONAL ? " transactional" : "",
                  rw_batch_is_control(b) ? " control" : "", b->crc, crc_ok ? "ok" : "WRONG");
}

static void batch_json(struct dump *d, const struct rw_batch *b, uint64_t at, bool crc_ok)
{
    struct rw_json j;
    rw_json_init(&j, d->out, 0);
    rw_json_object(&j, NULL);
    rw_json_cstr(&j, "type", "batch");
    rw_json_int(&j, "base_offset", b->base_offset);
    rw_json_int(&j, "last_offset", rw_batch_last_offset(b));
    rw_json_int(&j, "records", b->records_count);
    rw_json_int(&j, "position", (int64_t)at);
    rw_json_int(&j, "size", (int64_t)rw_batch_size(b));
    rw_json_int(&j, "leader_epoch", b->leader_epoch);
    rw_json_cstr(&j, "codec", rw_codec_name(rw_batch_codec(b)));
    rw_json_bool(&j, "log_append_time", (b->attributes & RW_ATTR_LOG_APPEND_TIME) != 0);
    rw_json_int(&j, "base_timestamp", b->base_timestamp);
    rw_json_int(&j, "max_timestamp", b->max_timestamp);
    rw_json_int(&j, "producer_id", b->producer_id);
    rw_json_int(&j, "producer_epoch", b->producer_epoch);
    rw_json_int(&j, "base_sequence", b->base_sequence);
    rw_json_bool(&j, "transactional", (b->attributes & RW_ATTR_TRANSACTIONAL) != 0);
    rw_json_bool(&j, "control", rw_batch_is_control(b));
    rw_json_int(&j, "crc", b->crc);
    rw_json_bool(&j, "crc_ok", crc_ok);
    rw_json_end(&j);
    rw_buf_add_u8(d->out, '\n');
}

static void bytes_text(struct rw_buf *out, struct rw_slice v)
{
    if (!v.p) {
        rw_buf_add_str(out, "null");
        return;
    }
    rw_buf_add_u8(out, '"');
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        if (c == '"' || c == '\\')
            rw_buf_printf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            rw_buf_printf(out, "\\x%02x", c);
        else
            rw_buf_add_u8(out, c);
    }
    rw_buf_add_u8(out, '"');
}

static void record_json(struct dump *d, const struct rw_record *r)
{
    struct rw_json j;
    struct rw_record_header h;
    struct rw_slice left = r->headers;
    rw_json_init(&j, d->out, 0);
    rw_json_object(&j, NULL);
    rw_json_cstr(&j, "type", "record");
    rw_json_int(&j, "offset", r->offset);
    rw_json_int(&j, "timestamp", r->timestamp);
    rw_json_bytes(&j, "key", r->key);
    rw_json_bytes(&j, "value", r->value);
    rw_json_array(&j, "headers");
    for (int32_t i = 0; i < r->headers_count && rw_record_next_header(&left, &h) == 1; i++) {
        rw_json_object(&j, NULL);
        rw_json_bytes(&j, "key", rw_slice(h.key.n > 0 ? h.key.p : "", (size_t)h.key.n));
        rw_json_bytes(&j, "value", h.value);
        rw_json_end(&j);
    }
    rw_json_end(&j);
    rw_json_end(&j);
    rw_buf_add_u8(d->out, '\n');
}

static void record_text(struct dump *d, const struct rw_record *r)
{
    struct rw_record_header h;
    struct rw_slice left = r->headers;
    rw_buf_printf(d->out, "  record %" PRId64 " time %" PRId64 " key ", r->offset, r->timestamp);
    bytes_text(d->out, r->key);
    rw_buf_add_str(d->out, " value ");
    bytes_text(d->out, r->value);
    for (int32_t i = 0; i < r->headers_count && rw_record_next_header(&left, &h) == 1; i++) {
        rw_buf_printf(d->out, " header %.*s ", (int)h.key.n, h.key.p);
        bytes_text(d->out, h.value);
    }
    rw_buf_add_u8(d->out, '\n');
}

static int dump_records(struct dump *d, struct rw_records *records, struct rw_scan *scan,
                        const uint8_t *body)
{
    struct rw_record r;
    int rc = rw_records_open(records, body, rw_batch_size(&scan->batch));
    while (!rc && (rc = rw_records_next(records, &r)) == 1) {
        if (d->json)
            record_json(d, &r);
        else
            record_text(d, &r);
        rc = spill(d);
    }
    return rc == RW_E_NOMEM ? rc
           : rc < 0         ? damaged(d, scan->at, "the records can not be decoded")
                            : 0;
}

static int dump_batch(struct dump *d, struct rw_records *records, struct rw_scan *scan)
{
    const uint8_t *body = NULL;
    int rc = rw_scan_check(scan, &body);
    if (rc && rc != RW_E_CORRUPT)
        return rc;
    if (d->json)
        batch_json(d, &scan->batch, scan->at, rc == RW_OK);
    else
        batch_text(d, &scan->batch, scan->at, rc == RW_OK);
    if (rc)
        d->bad = RW_EXIT_UNHEALTHY;
    else if (d->records && dump_records(d, records, scan, body) == RW_E_NOMEM)
        return RW_E_NOMEM;
    return spill(d);
}

/* What a writer has put ahead of its appends is not damage. */
static void dump_zeros(struct dump *d, uint64_t at, uint64_t n)
{
    if (!d->json) {
        rw_buf_printf(d->out, "zeros position %" PRIu64 " size %" PRIu64 " up to the end\n", at, n);
        return;
    }
    struct rw_json j;
    rw_json_init(&j, d->out, 0);
    rw_json_object(&j, NULL);
    rw_json_cstr(&j, "type", "zeros");
    rw_json_int(&j, "position", (int64_t)at);
    rw_json_int(&j, "size", (int64_t)n);
    rw_json_end(&j);
    rw_buf_add_u8(d->out, '\n');
}

/* Damage is stepped over: 1 when there are batches behind it. */
static int dump_damage(struct dump *d, struct rw_scan *scan, uint64_t size)
{
    bool zeros;
    int rc = rw_scan_is_zero(scan->file, scan->next, size, &zeros);
    if (rc)
        return rc;
    if (zeros) {
        dump_zeros(d, scan->next, size - scan->next);
        return 0;
    }
    damaged(d, scan->next, "this is not a whole batch");
    return rw_scan_resync(scan);
}

static int dump_segment(struct dump *d, struct rw_file *f, uint64_t size)
{
    struct rw_scan scan;
    struct rw_records records = {0};
    rw_scan_init(&scan, f, 0, size, NULL, 1u << 20);
    int rc;
    while ((rc = rw_scan_next(&scan)) != 0 && !rw_cli_interrupted()) {
        if (rc == RW_E_CORRUPT || rc == RW_E_SHORT) {
            rc = dump_damage(d, &scan, size);
        } else if (rc == 1) {
            rc = dump_batch(d, &records, &scan);
            rc = rc ? rc : 1;
        }
        if (rc != 1)
            break;
    }
    rw_records_deinit(&records);
    rw_scan_deinit(&scan);
    return rc;
}

/* ---- indexes and snapshots ---- */

static void entry(struct dump *d, const char *a, int64_t av, const char *b, int64_t bv)
{
    if (!d->json) {
        rw_buf_printf(d->out, "%s %" PRId64 " %s %" PRId64 "\n", a, av, b, bv);
        return;
    }
    struct rw_json j;
    rw_json_init(&j, d->out, 0);
    rw_json_object(&j, NULL);
    rw_json_int(&j, a, av);
    rw_json_int(&j, b, bv);
    rw_json_end(&j);
    rw_buf_add_u8(d->out, '\n');
}

static int dump_index(struct dump *d, struct rw_slice v, int64_t base, bool time)
{
    size_t size = time ? RW_TIME_ENTRY_SIZE : RW_OFFSET_ENTRY_SIZE;
    for (size_t at = 0; at + size <= v.n; at += size) {
        if (time) {
            struct rw_time_entry e = rw_time_entry_decode(v.p + at);
            entry(d, "timestamp", e.timestamp, "offset", base + e.relative);
        } else {
            struct rw_offset_entry e = rw_offset_entry_decode(v.p + at);
            entry(d, "offset", base + e.relative, "position", e.position);
        }
        int rc = spill(d);
        if (rc)
            return rc;
    }
    if (v.n % size)
        damaged(d, v.n - v.n % size, "the file ends inside of an entry");
    return RW_OK;
}

static int dump_snapshot(struct dump *d, struct rw_slice v)
{
    struct rw_producers ps;
    rw_producers_init(&ps);
    int rc = rw_snapshot_decode(&ps, v);
    for (size_t i = 0; i < ps.cap && !rc; i++) {
        const struct rw_producer *p = ps.slots[i];
        if (!p)
            continue;
        const struct rw_producer_batch *b = &p->batches[0];
        struct rw_json j;
        rw_json_init(&j, d->out, 0);
        rw_json_object(&j, NULL);
        rw_json_int(&j, "producer_id", p->id);
        rw_json_int(&j, "producer_epoch", p->epoch);
        rw_json_int(&j, "last_sequence", p->batches_n ? b->last_sequence : -1);
        rw_json_int(&j, "last_offset", p->batches_n ? b->last_offset : -1);
        rw_json_int(&j, "offset_delta", p->batches_n ? b->offset_delta : 0);
        rw_json_int(&j, "timestamp", p->last_seen_ms);
        rw_json_int(&j, "coordinator_epoch", p->coordinator_epoch);
        rw_json_int(&j, "current_txn_first_offset", p->txn_first_offset);
        rw_json_end(&j);
        rw_buf_add_u8(d->out, '\n');
    }
    rw_producers_deinit(&ps);
    if (rc && rc != RW_E_NOMEM)
        rc = damaged(d, 0, "not an intact producer snapshot of version 1");
    return rc == RW_E_NOMEM ? rc : RW_OK;
}

static bool is_text_file(const char *path)
{
    static const char *const names[] = {"partition.metadata", "meta.properties"};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < RW_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return rw_name_ends(name, "-checkpoint");
}

static void dump_text(struct dump *d, struct rw_slice v)
{
    struct rw_json j;
    if (!d->json) {
        rw_buf_add(d->out, v.p, v.n);
        return;
    }
    rw_json_init(&j, d->out, 0);
    rw_json_object(&j, NULL);
    rw_json_cstr(&j, "file", d->path);
    rw_json_array(&j, "lines");
    for (size_t at = 0; at < v.n;) {
        const uint8_t *end = memchr(v.p + at, '\n', v.n - at);
        size_t n = end ? (size_t)(end - v.p) - at : v.n - at;
        rw_json_bytes(&j, NULL, rw_slice(v.p + at, n));
        at += n + 1;
    }
    rw_json_end(&j);
    rw_json_end(&j);
    rw_buf_add_u8(d->out, '\n');
}

/* A file that is not there is told as such, whatever its name. */
static int foreign(struct dump *d)
{
    struct rw_file *f;
    int rc = rw_vfs_open(rw_os_env()->vfs, d->path, RW_OPEN_READ, &f);
    if (rc)
        return rw_cli_fail(d->cli, rw_cli_exit_of(rc), NULL, "%s", rw_os_last_error());
    rw_file_close(f);
    return rw_cli_fail(d->cli, RW_EXIT_USAGE,
                       "a log's files are named like 00000000000000000000.log, .index, "
                       ".timeindex, .snapshot, and ...-checkpoint",
                       "%s is no file of a log", d->path);
}

static int dump_small(struct dump *d, const char *suffix, int64_t base)
{
    bool offsets = strcmp(suffix, RW_SUFFIX_INDEX) == 0,
         times = !strcmp(suffix, RW_SUFFIX_TIMEINDEX);
    bool snapshot = strcmp(suffix, RW_SUFFIX_SNAPSHOT) == 0;
    if (!offsets && !times && !snapshot && !is_text_file(d->path))
        return foreign(d);
    struct rw_buf bytes;
    rw_buf_init(&bytes);
    int rc = rw_file_load(rw_os_env(), d->path, &bytes);
    struct rw_slice v = rw_slice(bytes.p, bytes.n);
    if (rc)
        rc = rw_cli_fail(d->cli, rw_cli_exit_of(rc), NULL, "%s", rw_os_last_error());
    else if (offsets || times)
        rc = dump_index(d, v, base, times);
    else if (snapshot)
        rc = dump_snapshot(d, v);
    else
        dump_text(d, v);
    rw_buf_deinit(&bytes);
    return rc;
}

static int dump_log_file(struct dump *d)
{
    struct rw_file *f;
    uint64_t size;
    int rc = rw_vfs_open(rw_os_env()->vfs, d->path, RW_OPEN_READ, &f);
    if (rc)
        return rw_cli_fail(d->cli, rw_cli_exit_of(rc), NULL, "%s", rw_os_last_error());
    rc = f->ops->size(f, &size);
    if (!rc)
        rc = dump_segment(d, f, size);
    rw_file_close(f);
    return rc < 0
               ? rw_cli_fail(d->cli, rw_cli_exit_of(rc), NULL, "%s: %s", d->path, rw_code_text(rc))
               : RW_EXIT_OK;
}

static int dump_file(struct rw_cli *cli, const char *path)
{
    struct dump d = {.cli = cli,
                     .out = rw_cli_out(cli),
                     .path = path,
                     .json = rw_cli_json(cli),
                     .records = rw_cli_has(cli, "records")};
    const char *slash = strrchr(path, '/'), *suffix = "";
    int64_t base = 0;
    bool ours = rw_name_parse(slash ? slash + 1 : path, &base, &suffix);
    int exit_code = ours && strcmp(suffix, RW_SUFFIX_LOG) == 0 ? dump_log_file(&d)
                                                               : dump_small(&d, suffix, base);
    return exit_code ? exit_code : d.bad;
}

static void heading(struct rw_cli *cli, const char *path)
{
    struct rw_json j;
    if (!rw_cli_json(cli)) {
        rw_buf_printf(rw_cli_out(cli), "segment %s\n", path);
        return;
    }
    rw_json_init(&j, rw_cli_out(cli), 0);
    rw_json_object(&j, NULL);
    rw_json_cstr(&j, "type", "segment");
    rw_json_cstr(&j, "file", path);
    rw_json_end(&j);
    rw_buf_add_u8(rw_cli_out(cli), '\n');
}

/* The segments of a log, in order. One that retention removes meanwhile is reported like any other file
 * that is not there. */
static int dump_dir(struct rw_cli *cli, const char *dir, void *arg)
{
    struct log_names names;
    int worst = RW_EXIT_OK;
    (void)arg;
    int rc = rw_log_names(dir, rw_log_name_is_segment, &names);
    if (rc)
        return rw_cli_fail(cli, rw_cli_exit_of(rc), NULL, "%s", rw_os_last_error());
    for (size_t i = 0; i < names.n && !rw_cli_interrupted(); i++) {
        struct rw_path path;
        int exit_code = RW_EXIT_OK;
        if (rw_path_join(&path, dir, names.at[i], NULL)) {
            exit_code = rw_cli_fail(cli, RW_EXIT_USAGE, NULL, "the path is too long: %s", dir);
        } else {
            heading(cli, path.s);
            exit_code = dump_file(cli, path.s);
        }
        if (exit_code > worst)
            worst = exit_code;
    }
    rw_log_names_free(&names);
    return worst;
}

static int run(struct rw_cli *cli)
{
    struct rw_vfs *vfs = rw_os_env()->vfs;
    int worst = RW_EXIT_OK;
    for (int i = 0; i < rw_cli_operand_count(cli) && !rw_cli_interrupted(); i++) {
        const char *path = rw_cli_operand(cli, i);
        struct rw_stat st;
        bool is_dir = vfs->ops->stat(vfs, path, &st) == RW_OK && st.is_dir;
        int exit_code = is_dir ? rw_log_each_dir(cli, path, dump_dir, NULL) : dump_file(cli, path);
        if (exit_code > worst)
            worst = exit_code;
    }
    return rw_cli_interrupted() ? RW_EXIT_INTERRUPTED : worst;
}

static const struct rw_option options[] = {
    {"records", 'r', RW_OPT_FLAG, NULL, "show the records of each batch, too", NULL},
    {NULL, 0, RW_OPT_FLAG, NULL, NULL, NULL},
};

static const struct rw_example examples[] = {
    {"rollway log dump --records events-0/00000000000000000000.log", "batches and records"},
    {"rollway log dump events-0/00000000000000000000.index", "entries of an index"},
    {"rollway log dump events-0", "all segments of a log"},
    {NULL, NULL},
};

const struct rw_command rw_cmd_log_dump = {
    .name = "log dump",
    .operands = "PATH...",
    .operands_complete = "file",
    .operands_min = 1,
    .operands_max = -1,
    .summary = "show what is in the files of a log",
    .text =
        "PATH is a segment (.log), an index (.index, .timeindex), a producer snapshot "
        "(.snapshot), a checkpoint, or a directory: of a log, or of logs. Of a directory all "
        "segments are shown, each after a line with its name. Damage is reported and stepped "
        "over; the exit status is 8 then. Zeros behind the last batch, where a writer has put them "
        "ahead of its appends, are no damage.",
    .options = options,
    .examples = examples,
    .local = true,
    .run = run,
};
