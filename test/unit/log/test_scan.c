/* The walk from header to header: what it finds, and how little of the file it reads for it. */
#include "log_test.h"

#include <string.h>

#include "base/list.h"
#include "log/scan.h"

#define CHUNK 4352

/* A file in memory that counts. */
struct counting {
    struct rw_file file;
    struct rw_buf bytes;
    size_t reads, read_bytes;
};

static int count_read(struct rw_file *f, uint64_t at, void *p, size_t n, size_t *ret_n)
{
    struct counting *c = RW_CONTAINER(f, struct counting, file);
    size_t left = at < c->bytes.n ? c->bytes.n - (size_t)at : 0;
    *ret_n = n < left ? n : left;
    if (*ret_n)
        memcpy(p, c->bytes.p + at, *ret_n);
    c->reads++;
    c->read_bytes += *ret_n;
    return RW_OK;
}

static const struct rw_vfs_ops counting_ops = {.read_at = count_read};

/* Walks over batches whose values have these sizes; asserts that it finds them all. */
static void walk(struct counting *c, const size_t *sizes, size_t n, size_t last_bytes)
{
    *c = (struct counting){.file = {.ops = &counting_ops}};
    rw_buf_init(&c->bytes);
    uint64_t starts[32];
    for (size_t i = 0; i < n; i++) {
        struct rw_buf batch;
        rw_buf_init(&batch);
        log_test_batch(&batch, 1, 1000, sizes[i]);
        rw_store_be64(batch.p, i); /* the base offset is outside of the CRC */
        starts[i] = c->bytes.n;
        rw_buf_add(&c->bytes, batch.p, batch.n);
        rw_buf_deinit(&batch);
    }
    uint8_t room[CHUNK];
    struct rw_scan scan;
    rw_scan_init(&scan, &c->file, 0, c->bytes.n, room, sizeof(room));
    scan.batch_bytes = last_bytes;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(rw_scan_next(&scan), 1);
        assert_int_equal(scan.at, starts[i]);
        assert_int_equal(scan.batch.base_offset, i);
    }
    assert_int_equal(rw_scan_next(&scan), 0);
    rw_scan_deinit(&scan);
    rw_buf_deinit(&c->bytes);
}

static void headers_of_large_batches_only(void **state)
{
    (void)state;
    struct counting c;
    const size_t large[] = {20000, 20000, 20000, 20000};
    walk(&c, large, 4, 0);
    assert_int_equal(c.reads, 4);
    assert_int_equal(c.read_bytes, CHUNK + 3 * RW_BATCH_HEADER_SIZE);
    walk(&c, large, 4, 20000); /* known from before */
    assert_int_equal(c.read_bytes, 4 * RW_BATCH_HEADER_SIZE);
}

static void small_batches_together(void **state)
{
    (void)state;
    struct counting c;
    size_t small[20];
    for (size_t i = 0; i < 20; i++)
        small[i] = 100;
    walk(&c, small, 20, 0);
    assert_int_equal(c.reads, 1);
    small[0] = 20000; /* the one behind it is read alone, the others are not */
    walk(&c, small, 20, 0);
    assert_int_equal(c.reads, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(headers_of_large_batches_only),
                                       cmocka_unit_test(small_batches_together)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
