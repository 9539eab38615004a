/*
 * Appending with the library, one record and batches of 1000, next to pwrite of the same bytes (and
 * fdatasync where the library syncs). Both sides begin with a new file each time.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "logdir.h"

#define BATCH       1000
#define VALUE_BYTES 100
/* What a record of 100 bytes takes in a batch: length, attributes, deltas, lengths, headers count. */
#define RECORD_BYTES 109
#define FILE_MAX     (512ll << 20)

struct work {
    const struct bench *b;
    struct rollway_log_options options;
    size_t count; /* records per append */
    size_t write_bytes;
    int sync;
};

static char block[BATCH * RECORD_BYTES + 61];

/* Records per second of pwrite (and fdatasync). */
static double limit(void *arg, double seconds)
{
    const struct work *w = arg;
    int fd = bench_file_open(w->b);
    uint64_t records = 0;
    off_t at = 0;
    double start = bench_now(), now = start;
    while (now - start < seconds && at < FILE_MAX) {
        for (int i = 0; i < (w->sync ? 1 : 16); i++) {
            if (pwrite(fd, block, w->write_bytes, at) != (ssize_t)w->write_bytes)
                bench_die("pwrite");
            if (w->sync && fdatasync(fd))
                bench_die("fdatasync");
            at += (off_t)w->write_bytes;
            records += w->count;
        }
        now = bench_now();
    }
    bench_file_close(w->b, fd);
    return (double)records / (now - start);
}

static double subject(void *arg, double seconds)
{
    const struct work *w = arg;
    static struct rollway_record records[BATCH];
    for (size_t i = 0; i < w->count; i++)
        records[i] = (struct rollway_record){
            .timestamp_ms = 1700000000000, .value = block + i, .value_size = VALUE_BYTES};
    struct rollway_log *log = bench_log_open(w->b, &w->options);
    uint64_t done = 0;
    double start = bench_now(), now = start;
    while (now - start < seconds && done * RECORD_BYTES < FILE_MAX) {
        for (int i = 0; i < (w->sync ? 1 : 16); i++, done += w->count)
            if (rollway_log_append(log, records, w->count, NULL))
                bench_die("rollway_log_append");
        now = bench_now();
    }
    bench_log_close(w->b, log);
    return (double)done / (now - start);
}

int main(int argc, char **argv)
{
    struct bench b;
    bench_init(&b, argc, argv);
    memset(block, 'x', sizeof(block));
    struct work w = {.b = &b,
                     .options = {.size = sizeof(w.options), .durability = ROLLWAY_DURABLE_OS},
                     .count = 1,
                     .write_bytes = VALUE_BYTES};
    struct bench_case c = {
        .unit = "records/s", .scale = 1, .limit = limit, .subject = subject, .arg = &w};
    w.options.buffer_bytes = 64 << 10;
    c.name = "append 1 x 100 B, gathered", c.limit_is = "one pwrite of 100 B each", c.target = 10;
    bench_run(&b, &c);
    /* The kernel's share of a byte falls with the size of the write: larger folios. */
    w.options.buffer_bytes = 256 << 10;
    c.name = "append 1 x 100 B, gathered 256 KiB";
    bench_run(&b, &c);
    w.options.buffer_bytes = 0;
    w.write_bytes = RECORD_BYTES + 61;
    c.name = "append 1 x 100 B", c.limit_is = "one pwrite of the same batch", c.target = 0;
    bench_run(&b, &c);
    w.count = BATCH;
    w.write_bytes = BATCH * RECORD_BYTES + 61;
    c.name = "append 1000 x 100 B", c.limit_is = "pwrite of the same bytes", c.target = 0.8;
    bench_run(&b, &c);
    w.sync = 1;
    w.options.durability = ROLLWAY_DURABLE_EACH;
    c.name = "append 1000 x 100 B, durable", c.limit_is = "pwrite and fdatasync", c.target = 0.95;
    bench_run(&b, &c);
    w.count = 1;
    w.write_bytes = RECORD_BYTES + 61;
    c.name = "append 1 x 100 B, durable", c.limit_is = "pwrite and fdatasync", c.target = 0.95;
    bench_run(&b, &c);
    return 0;
}
