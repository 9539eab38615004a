/*
 * The manifest of a backup, from text and to text (backup_manifest.h). Pure.
 *
 * It comes from a file: names that lead out of the backup, numbers out of range, and lines in the wrong
 * place are refused, and so is any text that differs from what was written.
 */
#include "cli/backup_manifest.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "cli/log_beside.h"

#define HEAD     "rollway-backup "
#define VERSION  "2\n"
#define CHECKSUM "checksum "

int rw_backup_add_file(struct rw_backup_files *files, const struct rw_backup_file *file)
{
    struct rw_backup_file *at = rw_array_grow(files->at, files->n, &files->cap, sizeof(*at));
    if (!at)
        return RW_E_NOMEM;
    files->at = at;
    files->at[files->n++] = *file;
    return RW_OK;
}

void rw_backup_log_deinit(struct rw_backup_log *log)
{
    rw_free(log->files.at);
    log->files = (struct rw_backup_files){0};
}

int rw_backup_add_log(struct rw_backup *b, const struct rw_backup_log *log)
{
    struct rw_backup_log *logs = rw_array_grow(b->logs, b->n, &b->cap, sizeof(*logs));
    if (!logs) {
        rw_free(log->files.at);
        return RW_E_NOMEM;
    }
    b->logs = logs;
    b->logs[b->n++] = *log;
    return RW_OK;
}

const struct rw_backup_log *rw_backup_find(const struct rw_backup *b, const char *name)
{
    for (size_t i = 0; i < b->n; i++)
        if (strcmp(b->logs[i].name, name) == 0)
            return &b->logs[i];
    return NULL;
}

void rw_backup_deinit(struct rw_backup *b)
{
    for (size_t i = 0; i < b->n; i++)
        rw_backup_log_deinit(&b->logs[i]);
    rw_free(b->logs);
    rw_free(b->files.at);
    *b = (struct rw_backup){0};
}

void rw_backup_stored_name(const struct rw_backup_file *file, char ret_name[80])
{
    snprintf(ret_name, 80, "%s.%08" PRIx32, file->name, file->crc);
}

/* Does it begin with what a backup stores under its own name? *ret_rest: what comes after that. */
static bool skip_source_name(const char *name, const char **ret_rest)
{
    static const char *const whole[] = {RW_EPOCHS_NAME, RW_METADATA_NAME, RW_CONTIGUOUS_NAME,
                                        RW_IDENTITY_NAME};
    static const char *const suffixes[] = {RW_SUFFIX_LOG, RW_SUFFIX_SNAPSHOT};
    int64_t offset;
    const char *at = name;
    bool numbered = rw_name_parse(name, &offset, &at);
    const char *const *texts = numbered ? suffixes : whole;
    for (size_t i = 0; i < (numbered ? RW_COUNT(suffixes) : RW_COUNT(whole)); i++) {
        size_t n = strlen(texts[i]);
        if (strncmp(at, texts[i], n) == 0 && at[n] == '.') {
            *ret_rest = at + n;
            return true;
        }
    }
    return false;
}

/* Strict, because what has such a name and is not in the manifest is removed: other files that end like a
 * date or a number in hex may lie there too. */
bool rw_backup_is_stored_name(const char *name)
{
    const char *rest;
    if (!skip_source_name(name, &rest) || strlen(rest) < 9)
        return false;
    for (size_t i = 1; i < 9; i++)
        if (!isxdigit((unsigned char)rest[i]))
            return false;
    return !rest[9] || strcmp(rest + 9, RW_SUFFIX_TMP) == 0;
}

/* ---- from text ---- */

static bool name_is_plain(const char *name)
{
    return name[0] && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/');
}

static int parse_file(struct rw_backup_files *files, const char *text)
{
    struct rw_backup_file f = {0};
    int used = 0;
    if (sscanf(text, "%63s %" SCNu64 " %" SCNx32 "%n", f.name, &f.size, &f.crc, &used) != 3 ||
        text[used] || !name_is_plain(f.name) || f.size > INT64_MAX)
        return RW_E_CORRUPT;
    return rw_backup_add_file(files, &f);
}

static int parse_number(const char *text, int64_t *ret)
{
    int64_t v = 0;
    int used = 0;
    if (sscanf(text, "%" SCNd64 "%n", &v, &used) != 1 || text[used] || v < 0)
        return RW_E_CORRUPT;
    *ret = v;
    return RW_OK;
}

static int parse_log_line(struct rw_backup_log *log, const char *word, const char *rest)
{
    int64_t damaged = 0;
    if (strcmp(word, "file") == 0)
        return parse_file(&log->files, rest);
    if (strcmp(word, "start") == 0)
        return parse_number(rest, &log->start);
    if (strcmp(word, "end") == 0)
        return parse_number(rest, &log->end);
    if (strcmp(word, "recovery") == 0)
        return parse_number(rest, &log->recovery);
    if (strcmp(word, "high-watermark") == 0)
        return parse_number(rest, &log->high_watermark);
    if (strcmp(word, "damaged") != 0 || parse_number(rest, &damaged))
        return RW_E_CORRUPT;
    log->damaged = (uint64_t)damaged;
    return RW_OK;
}

static int parse_line(struct rw_backup *b, char *line)
{
    char *rest = strchr(line, ' ');
    if (!rest && strcmp(line, "data") == 0) {
        b->data = true;
        return RW_OK;
    }
    if (!rest)
        return RW_E_CORRUPT;
    *rest++ = 0;
    if (strcmp(line, "log") == 0) {
        struct rw_backup_log log = {.start = -1, .end = -1, .recovery = -1, .high_watermark = -1};
        if (!name_is_plain(rest) || strlen(rest) >= sizeof(log.name))
            return RW_E_CORRUPT;
        memcpy(log.name, rest, strlen(rest) + 1);
        return rw_backup_add_log(b, &log);
    }
    if (b->n)
        return parse_log_line(&b->logs[b->n - 1], line, rest);
    if (strcmp(line, "made") == 0)
        return parse_number(rest, &b->made_ms);
    return strcmp(line, "file") == 0 ? parse_file(&b->files, rest) : RW_E_CORRUPT;
}

static int check_sum(const char *text, size_t n, size_t *ret_n)
{
    static const size_t size = sizeof(CHECKSUM) - 1 + 8 + 1;
    char want[sizeof(CHECKSUM) + 10];
    if (n < size)
        return RW_E_CORRUPT;
    snprintf(want, sizeof(want), CHECKSUM "%08" PRIx32 "\n", rw_crc32c(0, text, n - size));
    if (memcmp(text + n - size, want, size) != 0)
        return RW_E_CORRUPT;
    *ret_n = n - size;
    return RW_OK;
}

static int check_logs(const struct rw_backup *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct rw_backup_log *log = &b->logs[i];
        if (log->start < 0 || log->end < log->start || log->recovery < log->end)
            return RW_E_CORRUPT;
    }
    return b->data || b->n == 1 ? RW_OK : RW_E_CORRUPT;
}

int rw_backup_parse(const char *text, size_t n, struct rw_backup *ret_backup)
{
    static const size_t head = sizeof(HEAD) - 1, version = sizeof(VERSION) - 1;
    *ret_backup = (struct rw_backup){0};
    if (n < head || memcmp(text, HEAD, head) != 0)
        return RW_E_CORRUPT;
    if (n < head + version || memcmp(text + head, VERSION, version) != 0)
        return RW_E_UNSUPPORTED;
    int rc = check_sum(text, n, &n);
    for (size_t at = head + version; at < n && !rc;) {
        char line[400];
        const char *end = memchr(text + at, '\n', n - at);
        size_t size = end ? (size_t)(end - text) - at : 0;
        if (!end || size >= sizeof(line))
            return RW_E_CORRUPT;
        memcpy(line, text + at, size);
        line[size] = 0;
        rc = parse_line(ret_backup, line);
        at += size + 1;
    }
    return rc ? rc : check_logs(ret_backup);
}

/* ---- to text ---- */

static void print_files(struct rw_buf *out, const struct rw_backup_files *files)
{
    for (size_t i = 0; i < files->n; i++)
        rw_buf_printf(out, "file %s %" PRIu64 " %08" PRIx32 "\n", files->at[i].name,
                      files->at[i].size, files->at[i].crc);
}

void rw_backup_print(struct rw_buf *out, const struct rw_backup *b)
{
    size_t from = out->n;
    rw_buf_printf(out, HEAD VERSION "made %" PRId64 "\n%s", b->made_ms, b->data ? "data\n" : "");
    print_files(out, &b->files);
    for (size_t i = 0; i < b->n; i++) {
        const struct rw_backup_log *log = &b->logs[i];
        rw_buf_printf(out,
                      "log %s\nstart %" PRId64 "\nend %" PRId64 "\nrecovery %" PRId64
                      "\ndamaged %" PRIu64 "\n",
                      log->name, log->start, log->end, log->recovery, log->damaged);
        if (log->high_watermark >= 0)
            rw_buf_printf(out, "high-watermark %" PRId64 "\n", log->high_watermark);
        print_files(out, &log->files);
    }
    if (!out->failed)
        rw_buf_printf(out, CHECKSUM "%08" PRIx32 "\n", rw_crc32c(0, out->p + from, out->n - from));
}
