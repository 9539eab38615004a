/*
 * A writer and a reader of the library that tell what happened as a history (test/support/history.py),
 * one JSON line for each event, written at once: whoever reads the pipe keeps it when the writer dies.
 *
 *   fault_log write DIR RUN COUNT SIZE   appends COUNT durable records "RUN-i" padded to SIZE bytes
 *   fault_log read DIR                   opens (and so recovers), verifies, prints all as "final"
 *   fault_log trim DIR PERCENT           moves the log start forward by so much of the log
 *   fault_log burn FILE                  fills the file system through FILE until it is full
 *
 * write goes on after "disk full" (at most 20 times) and stops at any other error. Exit: 0 done, 3 the
 * disk is full, 4 another error of the log, 2 wrong use or what should never happen.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rollway/log.h>

#define SEGMENT_BYTES (64 * 1024)
#define FULL_MAX      20

static void event(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void event(const char *format, ...)
{
    char line[400];
    __builtin_va_list args;
    __builtin_va_start(args, format);
    int n = vsnprintf(line, sizeof(line), format, args);
    __builtin_va_end(args);
    if (n < 0 || (size_t)n >= sizeof(line) || write(STDOUT_FILENO, line, (size_t)n) != n)
        exit(2);
}

static void send_event(const char *type, const char *value, int64_t offset)
{
    event("{\"proc\":\"w\",\"op\":\"send\",\"log\":\"log\",\"type\":\"%s\",\"value\":\"%s\"", type,
          value);
    if (offset >= 0)
        event(",\"offset\":%" PRId64, offset);
    event("}\n");
}

static struct rollway_log *open_log(const char *dir)
{
    const struct rollway_log_options o = {
        .size = sizeof(o), .durability = ROLLWAY_DURABLE_EACH, .segment_bytes = SEGMENT_BYTES};
    struct rollway_log *log;
    int rc = rollway_log_open(dir, &o, &log);
    if (!rc)
        return log;
    fprintf(stderr, "open %s: %s\n", dir, rollway_strerror(rc));
    exit(rc == ROLLWAY_E_FULL ? 3 : 4);
}

static int write_records(const char *dir, const char *run, long count, size_t size)
{
    struct rollway_log *log = open_log(dir);
    char *value = malloc(size + 64);
    int full = 0, rc = 0;
    for (long i = 0; i < count && full < FULL_MAX; i++) {
        int n = snprintf(value, 64, "%s-%ld ", run, i);
        memset(value + n, 'a' + (int)(i % 26), size);
        size_t length = (size_t)n > size ? (size_t)n : size;
        value[n - 1] = '\0';
        char id[64];
        snprintf(id, sizeof(id), "%s", value);
        value[n - 1] = ' ';
        send_event("invoke", id, -1);
        int64_t offset = -1;
        const struct rollway_record r = {.value = value, .value_size = length};
        rc = rollway_log_append(log, &r, 1, &offset);
        if (rc == 0) {
            send_event("ok", id, offset);
        } else if (rc == ROLLWAY_E_FULL) {
            send_event("fail", id, -1); /* promised: nothing was appended */
            full++;
        } else {
            send_event("unknown", id, -1);
            fprintf(stderr, "append: %s (%s)\n", rollway_strerror(rc), rollway_log_error(log));
            break;
        }
    }
    free(value);
    int closed = rollway_log_close(log);
    if (rc && rc != ROLLWAY_E_FULL)
        return 4;
    return full ? 3 : closed ? 4 : 0;
}

static int check_value(const struct rollway_record *r, char *ret_id, size_t n)
{
    const char *value = r->value, *space = memchr(value, ' ', r->value_size);
    if (!space || (size_t)(space - value) >= n)
        return 2;
    snprintf(ret_id, n, "%.*s", (int)(space - value), value);
    const char *dash = strrchr(ret_id, '-');
    char fill = dash ? "abcdefghijklmnopqrstuvwxyz"[(size_t)atol(dash + 1) % 26] : 0;
    for (const char *c = space + 1; c < value + r->value_size; c++)
        if (*c != fill)
            return 2;
    return 0;
}

static int read_records(const char *dir)
{
    struct rollway_log *log = open_log(dir);
    struct rollway_verify_result v;
    int rc = rollway_log_verify(log, &v);
    if (rc || v.bad_batches || v.bad_index_entries) {
        fprintf(stderr, "verify: %s, %" PRIu64 " bad batches, %" PRIu64 " bad index entries\n",
                rollway_strerror(rc), v.bad_batches, v.bad_index_entries);
        return 2;
    }
    struct rollway_cursor *c;
    rc = rollway_cursor_new(log, rollway_log_start_offset(log), &c);
    if (rc)
        return 2;
    event("{\"proc\":\"v\",\"op\":\"final\",\"log\":\"log\",\"type\":\"ok\",\"start\":%" PRId64
          ",\"records\":[",
          rollway_log_start_offset(log));
    struct rollway_record r;
    const char *comma = "";
    while ((rc = rollway_cursor_next(c, &r)) == 1) {
        char id[64];
        if (check_value(&r, id, sizeof(id))) {
            fprintf(stderr, "the record at %" PRId64 " is torn\n", r.offset);
            return 2;
        }
        event("%s[%" PRId64 ",\"%s\"]", comma, r.offset, id);
        comma = ",";
    }
    event("]}\n");
    rollway_cursor_free(c);
    if (rc)
        fprintf(stderr, "read: %s\n", rollway_strerror(rc));
    int closed = rollway_log_close(log);
    if (closed)
        fprintf(stderr, "close: %s\n", rollway_strerror(closed));
    /* On a full disk there may be no room for what a clean close writes: the next open scans. */
    return rc || (closed && closed != ROLLWAY_E_FULL) ? 2 : 0;
}

static int trim(const char *dir, int percent)
{
    struct rollway_log *log = open_log(dir);
    int64_t start = rollway_log_start_offset(log), end = rollway_log_end_offset(log);
    int rc = rollway_log_trim(log, start + (end - start) * percent / 100);
    if (rc)
        fprintf(stderr, "trim: %s\n", rollway_strerror(rc));
    int closed = rollway_log_close(log);
    if (closed)
        fprintf(stderr, "close: %s\n", rollway_strerror(closed));
    return rc || (closed && closed != ROLLWAY_E_FULL) ? 4 : 0;
}

static int burn(const char *path)
{
    static char block[65536];
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd < 0)
        return 2;
    for (size_t n = sizeof(block); n > 0;)
        if (write(fd, block, n) <= 0)
            n /= 2;
    fsync(fd);
    close(fd);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 6 && !strcmp(argv[1], "write"))
        return write_records(argv[2], argv[3], atol(argv[4]), (size_t)atol(argv[5]));
    if (argc == 3 && !strcmp(argv[1], "read"))
        return read_records(argv[2]);
    if (argc == 4 && !strcmp(argv[1], "trim"))
        return trim(argv[2], atoi(argv[3]));
    if (argc == 3 && !strcmp(argv[1], "burn"))
        return burn(argv[2]);
    fprintf(stderr, "usage: fault_log write DIR RUN COUNT SIZE | read DIR | trim DIR PERCENT | "
                    "burn FILE\n");
    return 2;
}
