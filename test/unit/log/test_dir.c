/* The data directory: lock, identity, clean mark, checkpoints, partitions, leftovers. */
#include "log/checkpoint.h"
#include "log_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "log/dir.h"

static struct rw_log_dir_identity identity(int32_t node)
{
    struct rw_log_dir_identity id = {.cluster_id = "cluster-1", .node_id = node};
    memset(id.directory_id.b, 7, sizeof(id.directory_id.b));
    return id;
}

static void put_file(const char *root, const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void one_owner_and_a_lasting_identity(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_log_dir *d, *other;
    struct rw_err err;
    char deep[120];
    log_test_init(&t);
    snprintf(deep, sizeof(deep), "%s/a/b/c", t.root);
    struct rw_log_dir_identity id = identity(3), got;
    assert_int_equal(rw_log_dir_open(&t.env, deep, &id, &d, &err), RW_OK);
    assert_false(rw_log_dir_was_clean(d));
    assert_int_equal(rw_log_dir_open(&t.env, deep, &id, &other, &err), RW_E_LOCKED);
    assert_non_null(strstr(err.text, "another process"));
    rw_log_dir_close(d, true);
    struct rw_log_dir_identity fresh = identity(3);
    memset(fresh.directory_id.b, 9, sizeof(fresh.directory_id.b));
    assert_int_equal(rw_log_dir_open(&t.env, deep, &fresh, &d, &err), RW_OK);
    assert_true(rw_log_dir_was_clean(d));
    rw_log_dir_identity(d, &got);
    assert_true(rw_uuid_eq(got.directory_id, id.directory_id));
    assert_string_equal(got.cluster_id, "cluster-1");
    assert_string_equal(rw_log_dir_path(d), deep);
    rw_log_dir_close(d, false);
    id = identity(4);
    assert_int_equal(rw_log_dir_open(&t.env, deep, &id, &d, &err), RW_E_INVAL);
    assert_non_null(strstr(err.text, "node 3"));
    id = identity(3);
    assert_int_equal(rw_log_dir_open(&t.env, deep, &id, &d, &err), RW_OK);
    assert_false(rw_log_dir_was_clean(d)); /* taken by the open before */
    rw_log_dir_close(d, false);
    put_file(deep, "meta.properties", "version=0\n");
    assert_int_equal(rw_log_dir_open(&t.env, deep, &id, &d, &err), RW_E_UNSUPPORTED);
    put_file(deep, "meta.properties", "#x\nversion=1\ncluster.id=c\nnode.id=abc\n");
    assert_int_equal(rw_log_dir_open(&t.env, deep, &id, &d, &err), RW_E_CORRUPT);
    rw_log_dir_close(NULL, true);
    log_test_deinit(&t);
}

static void checkpoints_come_back(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_log_dir *d;
    struct rw_log_dir_identity id = identity(1);
    log_test_init(&t);
    assert_int_equal(rw_log_dir_open(&t.env, t.root, &id, &d, NULL), RW_OK);
    const struct rw_checkpoint_entry entries[] = {{"logs", 0, 42}, {"a-b", 11, INT64_MAX}};
    for (int i = 0; i <= RW_CHECKPOINT_HIGH_WATERMARK; i++)
        assert_int_equal(rw_log_dir_write_checkpoint(d, (enum rw_checkpoint)i, entries, 2), RW_OK);
    rw_log_dir_close(d, false);
    assert_int_equal(rw_log_dir_open(&t.env, t.root, &id, &d, NULL), RW_OK);
    assert_int_equal(rw_log_dir_checkpoint(d, RW_CHECKPOINT_RECOVERY_POINT, "logs", 0), 42);
    assert_int_equal(rw_log_dir_checkpoint(d, RW_CHECKPOINT_LOG_START, "a-b", 11), INT64_MAX);
    assert_int_equal(rw_log_dir_checkpoint(d, RW_CHECKPOINT_HIGH_WATERMARK, "logs", 1), -1);
    rw_log_dir_close(d, false);
    /* Damaged: as if there was none, never half of it. */
    static const char *const bad[] = {"",
                                      "0\n2\nlogs 0 1\n",
                                      "7\n0\n",
                                      "0\n1\nlogs 0\n",
                                      "0\n1\nlogs x 1\n",
                                      "0\n1\nlogs 0 -4\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        put_file(t.root, "recovery-point-offset-checkpoint", bad[i]);
        assert_int_equal(rw_log_dir_open(&t.env, t.root, &id, &d, NULL), RW_OK);
        assert_int_equal(rw_log_dir_checkpoint(d, RW_CHECKPOINT_RECOVERY_POINT, "logs", 0), -1);
        rw_log_dir_close(d, false);
    }
    log_test_deinit(&t);
}

/* One line changes, on disk too; what was collected before that is not written over it. */
static void one_line_of_a_checkpoint(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_log_dir *d;
    struct rw_log_dir_identity id = identity(1);
    const enum rw_checkpoint which = RW_CHECKPOINT_LOG_START;
    log_test_init(&t);
    assert_int_equal(rw_log_dir_open(&t.env, t.root, &id, &d, NULL), RW_OK);
    const struct rw_checkpoint_entry entries[] = {{"t", 0, 42}, {"t", 1, 43}, {"u", 0, 44}};
    assert_int_equal(rw_log_dir_write_checkpoint(d, which, entries, 3), RW_OK);
    uint64_t before = rw_log_dir_generation(d);
    assert_int_equal(rw_log_dir_set_checkpoint(d, which, "t", 1, -1), RW_OK);
    assert_int_equal(rw_log_dir_set_checkpoint(d, which, "u", 0, 7), RW_OK);
    assert_int_equal(rw_log_dir_set_checkpoint(d, which, "new", 3, 9), RW_OK);
    assert_int_equal(rw_log_dir_set_checkpoint(d, which, "nothing", 0, -1), RW_OK);
    assert_int_equal(rw_log_dir_write_collected(d, which, entries, 3, before), RW_E_AGAIN);
    for (int reopened = 0; reopened < 2; reopened++) {
        assert_int_equal(rw_log_dir_checkpoint(d, which, "t", 0), 42);
        assert_int_equal(rw_log_dir_checkpoint(d, which, "t", 1), -1);
        assert_int_equal(rw_log_dir_checkpoint(d, which, "u", 0), 7);
        assert_int_equal(rw_log_dir_checkpoint(d, which, "new", 3), 9);
        rw_log_dir_close(d, false);
        assert_int_equal(rw_log_dir_open(&t.env, t.root, &id, &d, NULL), RW_OK);
    }
    uint64_t now = rw_log_dir_generation(d);
    assert_int_equal(rw_log_dir_write_collected(d, which, entries, 1, now), RW_OK);
    assert_int_equal(rw_log_dir_checkpoint(d, which, "u", 0), -1);
    rw_log_dir_close(d, false);
    log_test_deinit(&t);
}

static int see(void *arg, const char *topic, int32_t partition, const char *path)
{
    struct rw_buf *seen = arg;
    assert_non_null(path);
    rw_buf_printf(seen, "%s/%d ", topic, partition);
    return RW_OK;
}

static void partitions_are_found_and_leftovers_removed(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_log_dir *d;
    struct rw_log_dir_identity id = identity(1);
    struct rw_buf seen;
    struct stat st;
    char command[300], path[200];
    log_test_init(&t);
    rw_buf_init(&seen);
    assert_int_equal(rw_log_dir_open(&t.env, t.root, &id, &d, NULL), RW_OK);
    snprintf(command, sizeof(command),
             "cd %s && mkdir x-y-12 gone-0.abc-delete nodash lost+found x-99999999999 && "
             "touch gone-0.abc-delete/00000000000000000000.log file-1",
             t.root);
    assert_int_equal(system(command), 0);
    assert_int_equal(rw_log_dir_partitions(d, see, &seen), RW_OK);
    assert_string_equal(rw_buf_cstr(&seen), "x-y/12 ");
    snprintf(path, sizeof(path), "%s/gone-0.abc-delete", t.root);
    assert_int_equal(stat(path, &st), -1);
    rw_log_dir_close(d, false);
    rw_buf_deinit(&seen);
    log_test_deinit(&t);
}

static void topic_ids_stay(void **state)
{
    (void)state;
    struct log_test t;
    struct rw_log_open_args args = {.topic_name = "t"};
    log_test_init(&t);
    memset(args.topic_id.b, 5, sizeof(args.topic_id.b));
    assert_int_equal(rw_log_open(&t.env, t.dir, &t.config, &args, &t.log), RW_OK);
    assert_true(rw_uuid_eq(rw_log_topic_id(t.log), args.topic_id));
    log_test_close(&t, true);
    assert_int_equal(log_test_open(&t, true, 0), RW_OK);
    assert_true(rw_uuid_eq(rw_log_topic_id(t.log), args.topic_id));
    assert_string_equal(rw_log_dir(t.log), t.dir);
    log_test_close(&t, true);
    args.topic_id.b[0] = 6; /* a topic of the same name, made anew */
    assert_int_equal(rw_log_open(&t.env, t.dir, &t.config, &args, &t.log), RW_E_INVAL);
    log_test_deinit(&t);
}

static void lines_of_a_checkpoint(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",        "t",     "t 1",  " 1 2", "t -1 2", "t 1 -2",         "t 1 x",
        "t 1 2 3", "t x 2", "t 1 ", "t  ",  "t 1 2 ", "t 4294967296 2", "t 1 9223372036854775808"};
    int32_t partition = 7;
    int64_t offset = 7;
    char line[64];
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        snprintf(line, sizeof(line), "%s", wrong[i]);
        assert_int_equal(rw_checkpoint_line(line, &partition, &offset), RW_E_CORRUPT);
        assert_string_equal(line, wrong[i]);
    }
    assert_int_equal(partition, 7);
    assert_int_equal(offset, 7);
    snprintf(line, sizeof(line), "topic 3 9223372036854775807");
    assert_int_equal(rw_checkpoint_line(line, &partition, &offset), RW_OK);
    assert_string_equal(line, "topic");
    assert_int_equal(partition, 3);
    assert_int_equal(offset, INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_owner_and_a_lasting_identity),
        cmocka_unit_test(checkpoints_come_back),
        cmocka_unit_test(one_line_of_a_checkpoint),
        cmocka_unit_test(partitions_are_found_and_leftovers_removed),
        cmocka_unit_test(topic_ids_stay),
        cmocka_unit_test(lines_of_a_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
