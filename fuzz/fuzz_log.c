/*
 * A partition's directory made of foreign bytes, on a disk in memory: segment, both indexes, epoch
 * checkpoint, producer snapshot. Opened as after a crash, as clean, or read-only; then read, searched,
 * verified, appended to. Damage is an error code, never a crash, and what an open log serves reads.
 *
 * Input: one byte of choices, four bytes of sizes (units of 8) for .index, .timeindex, checkpoint and
 * snapshot, these files, and the rest is the segment. Choice bit 2 repairs the CRCs of its batches.
 */
#include "batch/batch.h"
#include "fuzz.h"
#include "log/log.h"
#include "sim/env.h"

#define DIR "/t-0"

static void put(struct rw_vfs *v, const char *path, const uint8_t *p, size_t n)
{
    struct rw_file *f;
    RW_ASSERT(rw_vfs_open(v, path, RW_OPEN_WRITE | RW_OPEN_CREATE, &f) == RW_OK);
    if (n > 0)
        RW_ASSERT(rw_file_write_at(f, 0, p, n) == RW_OK);
    rw_file_close(f);
}

static void repair(uint8_t *p, size_t n)
{
    while (n >= RW_BATCH_HEADER_SIZE) {
        size_t size = (size_t)rw_load_be32(p + 8) + RW_BATCH_PREFIX_SIZE;
        if (size < RW_BATCH_HEADER_SIZE || size > n)
            return;
        rw_store_be32(p + 17, rw_batch_crc(p, size));
        p += size;
        n -= size;
    }
}

/* Splits the input into files. The directory's durability does not matter here. */
static void make_directory(struct rw_vfs *v, uint8_t choice, uint8_t *p, size_t n)
{
    static const char *const names[] = {
        DIR "/00000000000000000000.index", DIR "/00000000000000000000.timeindex",
        DIR "/leader-epoch-checkpoint", DIR "/00000000000000000001.snapshot"};
    RW_ASSERT(v->ops->mkdir(v, DIR) == RW_OK);
    if (n < 4)
        return;
    const uint8_t *sizes = p;
    p += 4;
    n -= 4;
    for (int i = 0; i < 4; i++) {
        size_t size = (size_t)sizes[i] * 8 < n ? (size_t)sizes[i] * 8 : n;
        if (size > 0)
            put(v, names[i], p, size);
        p += size;
        n -= size;
    }
    if (choice & 4)
        repair(p, n);
    put(v, DIR "/00000000000000000000.log", p, n);
}

static void use(struct rw_log *log, bool read_only)
{
    struct rw_log_position position;
    struct rw_log_range range;
    struct rw_log_verify verify = {0};
    int32_t epoch;
    int64_t end_offset, start = rw_log_start(log), end = rw_log_end(log);
    RW_ASSERT(start >= 0 && start <= end);
    for (int64_t at = start, turns = 0; at < end && turns < 32; turns++) {
        if (rw_log_read(log, at, INT64_MAX, 1 << 16, true, &range) != RW_OK)
            break;
        if (range.n == 0)
            break;
        RW_ASSERT(range.first_offset >= 0 && range.first_offset < end); /* gaps are legal */
        rw_log_range_release(&range);
        at += 1 + (end - at) / 4;
    }
    (void)!rw_log_find_time(log, 1700000000100, INT64_MAX, &position);
    (void)!rw_log_max_time(log, &position);
    rw_log_epoch_end(log, 1, &epoch, &end_offset);
    (void)!rw_log_verify(log, &verify);
    if (read_only || rw_log_state(log) != RW_OK || end > INT64_MAX - 1000)
        return;
    struct rw_builder b;
    struct rw_slice batch;
    struct rw_append_info info;
    const struct rw_append_args args = {.as_leader = true, .now_ms = 1700000000000};
    const struct rw_record record = {.timestamp = 1700000000000, .value = rw_slice("v", 1)};
    rw_builder_init(&b);
    RW_ASSERT(rw_builder_add(&b, &record, NULL, 0) == RW_OK);
    RW_ASSERT(rw_builder_finish(&b, &batch) == RW_OK);
    if (rw_log_append(log, b.finished->p, batch.n, &args, &info) == RW_OK)
        RW_ASSERT(info.first_offset == end && rw_log_end(log) == end + 1);
    (void)!rw_log_truncate(log, start + (end - start) / 2);
    rw_builder_deinit(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 1u << 16)
        return 0;
    struct rw_sim_env e;
    struct rw_log_config config;
    struct rw_log *log;
    uint8_t *p = fuzz_copy(data, size);
    rw_sim_env_init(&e, 1, NULL);
    make_directory(e.env.vfs, p[0], p + 1, size - 1);
    rw_log_config_init(&config);
    const struct rw_log_open_args args = {.clean = (p[0] & 1) != 0, .read_only = (p[0] & 2) != 0};
    if (rw_log_open(&e.env, DIR, &config, &args, &log) == RW_OK) {
        use(log, args.read_only);
        (void)!rw_log_close(log, true);
        /* What was repaired opens again. */
        if (!args.read_only && rw_log_open(&e.env, DIR, &config, &args, &log) == RW_OK)
            (void)!rw_log_close(log, false);
    }
    rw_sim_env_deinit(&e);
    free(p);
    return 0;
}
