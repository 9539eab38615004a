/* Checkpoints: there and back, and nothing believed that was damaged. */
#include "pipe/progress.h"
#include "unit.h"

static void fill(struct rw_pipe_progress *p)
{
    rw_pipe_progress_init(p);
    strcpy(p->topic, "logs");
    p->has_file = true;
    p->device = UINT64_MAX;
    p->inode = 7;
    p->length = 123456789012;
    p->tail = RW_PIPE_TAIL;
    p->tail_crc = UINT32_MAX;
    assert_int_equal(rw_pipe_progress_set(p, 3, INT64_MAX), RW_OK);
    assert_int_equal(rw_pipe_progress_set(p, 0, 12), RW_OK);
}

static void test_there_and_back(void **state)
{
    (void)state;
    struct rw_pipe_progress p, q;
    struct rw_buf out;
    fill(&p);
    rw_buf_init(&out);
    rw_pipe_progress_init(&q);
    rw_pipe_progress_write(&p, &out);
    assert_int_equal(rw_pipe_progress_read(rw_str(rw_buf_cstr(&out)), &q), RW_OK);
    assert_string_equal(q.topic, "logs");
    assert_string_equal(q.topic_id, "-");
    assert_true(q.has_file && q.device == UINT64_MAX && q.inode == 7 && q.length == 123456789012 &&
                q.tail == RW_PIPE_TAIL && q.tail_crc == UINT32_MAX);
    assert_true(rw_pipe_progress_get(&q, 0) == 12 && rw_pipe_progress_get(&q, 3) == INT64_MAX);
    assert_true(rw_pipe_progress_get(&q, 1) == -1 && rw_pipe_progress_get(&q, 99) == -1);
    rw_buf_deinit(&out);
    rw_pipe_progress_deinit(&p);
    rw_pipe_progress_deinit(&q);
}

static void test_damage_is_seen(void **state)
{
    (void)state;
    struct rw_pipe_progress p, q;
    struct rw_buf out;
    fill(&p);
    rw_buf_init(&out);
    rw_pipe_progress_write(&p, &out);
    for (size_t i = 0; i < out.n; i++) {
        rw_pipe_progress_init(&q);
        out.p[i] ^= 1;
        int rc = rw_pipe_progress_read((struct rw_str){(char *)out.p, (int32_t)out.n}, &q);
        assert_true(rc == RW_E_CORRUPT || rc == RW_E_UNSUPPORTED);
        out.p[i] ^= 1;
        assert_int_equal(
            rw_pipe_progress_read((struct rw_str){(char *)out.p, (int32_t)i}, &q) != RW_OK, 1);
        rw_pipe_progress_deinit(&q);
    }
    rw_buf_deinit(&out);
    rw_pipe_progress_deinit(&p);
}

static void test_limits(void **state)
{
    (void)state;
    struct rw_pipe_progress p;
    rw_pipe_progress_init(&p);
    assert_int_equal(rw_pipe_progress_set(&p, RW_PIPE_PARTITIONS_MAX, 1), RW_E_TOO_BIG);
    assert_int_equal(rw_pipe_progress_set(&p, -1, 1), RW_E_TOO_BIG);
    rw_pipe_progress_deinit(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_there_and_back),
                                       cmocka_unit_test(test_damage_is_seen),
                                       cmocka_unit_test(test_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
