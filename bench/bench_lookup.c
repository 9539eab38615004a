/*
 * Finding an offset in one segment of a million messages: the index next to a scan from the segment's
 * start, and what the index costs in space.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/bytes.h"
#include "logdir.h"

#define MESSAGES    1000000
#define PER_BATCH   10
#define VALUE_BYTES 100

struct work {
    const uint8_t *map, *index;
    size_t n, entries;
    int fd;
    struct rollway_cursor *cursor;
    uint64_t x;
};

static int64_t random_offset(struct work *w)
{
    w->x = w->x * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (int64_t)((w->x >> 33) % MESSAGES);
}

/* From header to header by pread, as a log without an index would have to. */
static double scan_file(void *arg, double seconds)
{
    struct work *w = arg;
    uint64_t done = 0;
    double start = bench_now(), now = start;
    for (; now - start < seconds || done == 0; done++, now = bench_now()) {
        int64_t want = random_offset(w);
        uint8_t h[27];
        for (off_t at = 0;; at += 12 + (off_t)rw_load_be32(h + 8)) {
            if (pread(w->fd, h, sizeof(h), at) != sizeof(h))
                bench_die("pread");
            if ((int64_t)rw_load_be64(h) + (int32_t)rw_load_be32(h + 23) >= want)
                break;
        }
    }
    return (double)done / (now - start);
}

/* The same in memory that is mapped and warm. */
static double scan_memory(void *arg, double seconds)
{
    struct work *w = arg;
    uint64_t done = 0;
    double start = bench_now(), now = start;
    for (; now - start < seconds || done == 0; done++, now = bench_now()) {
        int64_t want = random_offset(w);
        const uint8_t *h = w->map;
        while ((int64_t)rw_load_be64(h) + (int32_t)rw_load_be32(h + 23) < want)
            h += 12 + rw_load_be32(h + 8);
        bench_use((uint64_t)(h - w->map));
    }
    return (double)done / (now - start);
}

/* The last entry of the mapped index whose batch ends before `want`: where its batch lies. */
static off_t nearest(const struct work *w, int64_t want)
{
    size_t low = 0, high = w->entries;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if ((int64_t)rw_load_be32(w->index + mid * 8) < want)
            low = mid + 1;
        else
            high = mid;
    }
    return low ? (off_t)rw_load_be32(w->index + (low - 1) * 8 + 4) : 0;
}

/* The least that finds it: the index, and from there headers in pieces of 4 KB, each with one pread.
 * Neither is the batch's checksum looked at, nor are its records. */
static double scan_from_index(void *arg, double seconds)
{
    struct work *w = arg;
    uint64_t done = 0;
    double start = bench_now(), now = start;
    uint8_t piece[4096];
    for (; now - start < seconds; now = bench_now())
        for (int i = 0; i < 16; i++, done++) {
            int64_t want = random_offset(w);
            off_t from = nearest(w, want);
            for (size_t at = 0, n = 0;; at += 12 + rw_load_be32(piece + at + 8)) {
                if (at + 27 > n) {
                    ssize_t got = pread(w->fd, piece, sizeof(piece), from += (off_t)at);
                    if (got < 27)
                        bench_die("pread");
                    n = (size_t)got;
                    at = 0;
                }
                if ((int64_t)rw_load_be64(piece + at) + (int32_t)rw_load_be32(piece + at + 23) >=
                    want)
                    break;
            }
        }
    return (double)done / (now - start);
}

static double seek(void *arg, double seconds)
{
    struct work *w = arg;
    struct rollway_record record;
    uint64_t done = 0;
    double start = bench_now(), now = start;
    for (; now - start < seconds; now = bench_now())
        for (int i = 0; i < 16; i++, done++) {
            int64_t want = random_offset(w);
            if (rollway_cursor_seek(w->cursor, want) ||
                rollway_cursor_next(w->cursor, &record) != 1 || record.offset != want)
                bench_die("rollway_cursor_seek");
        }
    return (double)done / (now - start);
}

static void fill(const struct bench *b)
{
    const struct rollway_log_options options = {.size = sizeof(options),
                                                .durability = ROLLWAY_DURABLE_OS};
    struct rollway_log *log = bench_log_open(b, &options);
    char value[VALUE_BYTES];
    struct rollway_record records[PER_BATCH];
    memset(value, 'x', sizeof(value));
    for (int i = 0; i < PER_BATCH; i++)
        records[i] = (struct rollway_record){
            .timestamp_ms = 1700000000000, .value = value, .value_size = sizeof(value)};
    for (int i = 0; i < MESSAGES; i += PER_BATCH)
        if (rollway_log_append(log, records, PER_BATCH, NULL))
            bench_die("rollway_log_append");
    if (rollway_log_close(log))
        bench_die("rollway_log_close");
}

int main(int argc, char **argv)
{
    struct bench b;
    bench_init(&b, argc, argv);
    fill(&b);
    struct rollway_log *log = bench_log_reopen(&b);
    struct work w = {.fd = bench_log_file(&b, ".log"), .x = 1};
    uint64_t log_bytes = bench_log_bytes(&b, ".log"), index_bytes = bench_log_bytes(&b, ".index");
    w.n = log_bytes;
    w.map = mmap(NULL, w.n, PROT_READ, MAP_SHARED | MAP_POPULATE, w.fd, 0);
    int index = bench_log_file(&b, ".index");
    w.entries = index_bytes / 8;
    w.index = mmap(NULL, index_bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, index, 0);
    close(index);
    if (w.map == MAP_FAILED || w.index == MAP_FAILED || rollway_cursor_new(log, 0, &w.cursor))
        bench_die("open");
    bench_note(&b, "offset index", 100.0 * (double)index_bytes / (double)log_bytes, "% of log",
               "wanted about 0.2 (an open log's index is preallocated: measured as it lies)");
    bench_run(&b, &(struct bench_case){"lookup in 1M messages", "lookups/s", "scan by pread", 1,
                                       100, scan_file, seek, &w});
    bench_run(&b, &(struct bench_case){"lookup in 1M messages", "lookups/s",
                                       "scan of mapped memory", 1, 0, scan_memory, seek, &w});
    bench_run(&b, &(struct bench_case){"lookup in 1M messages", "lookups/s",
                                       "index, and headers by 4 KB", 1, 0.77, scan_from_index, seek,
                                       &w});
    rollway_cursor_free(w.cursor);
    munmap((void *)(uintptr_t)w.map, w.n);
    munmap((void *)(uintptr_t)w.index, index_bytes);
    close(w.fd);
    bench_log_close(&b, log);
    return 0;
}
