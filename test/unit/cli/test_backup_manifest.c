/* The manifest of a backup: what was written is read again, everything else is refused. */
#include "test_support.h"
#include <stdio.h>
#include "base/crc32c.h"
#include "cli/backup_manifest.h"

static void make(struct rw_backup *b)
{
    *b = (struct rw_backup){.data = true, .made_ms = 1700000000000};
    struct rw_backup_file f = {.name = "meta.properties", .size = 120, .crc = 0x0000abcd};
    assert_int_equal(rw_backup_add_file(&b->files, &f), RW_OK);
    for (int i = 0; i < 20; i++) {
        struct rw_backup_log log = {
            .start = i, .end = 1000 + i, .recovery = 2000, .high_watermark = i % 2 ? -1 : 900};
        snprintf(log.name, sizeof(log.name), "a topic-%d", i);
        log.damaged = (uint64_t)i;
        for (int j = 0; j < i; j++) {
            f = (struct rw_backup_file){.size = (uint64_t)j << 40,
                                        .crc = 0xffffffffu - (uint32_t)j};
            snprintf(f.name, sizeof(f.name), "%020d.log", j);
            assert_int_equal(rw_backup_add_file(&log.files, &f), RW_OK);
        }
        assert_int_equal(rw_backup_add_log(b, &log), RW_OK);
    }
}

static void there_and_back(void **state)
{
    (void)state;
    struct rw_backup b, back;
    struct rw_buf text, again;
    make(&b);
    rw_buf_init(&text);
    rw_buf_init(&again);
    rw_backup_print(&text, &b);
    assert_int_equal(rw_backup_parse((const char *)text.p, text.n, &back), RW_OK);
    assert_true(back.data);
    assert_int_equal(back.made_ms, b.made_ms);
    assert_int_equal(back.n, 20);
    const struct rw_backup_log *log = rw_backup_find(&back, "a topic-7");
    assert_non_null(log);
    assert_int_equal(log->start, 7);
    assert_int_equal(log->end, 1007);
    assert_int_equal(log->recovery, 2000);
    assert_int_equal(log->high_watermark, -1);
    assert_int_equal(log->damaged, 7);
    assert_int_equal(log->files.n, 7);
    assert_string_equal(log->files.at[3].name, "00000000000000000003.log");
    assert_int_equal(log->files.at[3].size, 3ull << 40);
    assert_int_equal(log->files.at[3].crc, 0xfffffffcu);
    rw_backup_print(&again, &back);
    assert_int_equal(again.n, text.n);
    assert_memory_equal(again.p, text.p, text.n);
    /* Each cut and each changed byte is seen. */
    for (size_t i = 0; i < text.n; i++) {
        rw_backup_deinit(&back);
        assert_int_not_equal(rw_backup_parse((const char *)text.p, i, &back), RW_OK);
        rw_backup_deinit(&back);
        text.p[i] ^= 1;
        assert_int_not_equal(rw_backup_parse((const char *)text.p, text.n, &back), RW_OK);
        text.p[i] ^= 1;
    }
    rw_backup_deinit(&back);
    rw_backup_deinit(&b);
    rw_buf_deinit(&text);
    rw_buf_deinit(&again);
}

static int parse(const char *lines)
{
    struct rw_buf text;
    struct rw_backup b;
    rw_buf_init(&text);
    rw_buf_printf(&text, "rollway-backup 2\n%s", lines);
    rw_buf_printf(&text, "checksum %08x\n", (unsigned)rw_crc32c(0, text.p, text.n));
    int rc = rw_backup_parse((const char *)text.p, text.n, &b);
    rw_backup_deinit(&b);
    rw_buf_deinit(&text);
    return rc;
}

#define POSITIONS "start 1\nend 2\nrecovery 2\n"

static void refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",                                                           /* no log */
        "log a\n" POSITIONS "log b\n" POSITIONS,                      /* two, and no "data" */
        "data\nlog ../a\n" POSITIONS,                                 /* leads out */
        "log a\n" POSITIONS "file ../x 1 00000000\n",                 /* leads out */
        "log a\n" POSITIONS "file x 1\n",                             /* no checksum */
        "log a\n" POSITIONS "file x 1 00000000 more\n",               /* too much */
        "log a\n" POSITIONS "file x 18446744073709551615 00000000\n", /* too large */
        "log a\n" POSITIONS "what 1\n",                               /* unknown */
        "log a\nstart 3\nend 2\nrecovery 2\n",
        "log a\nstart 1\nend 2\n", /* wrong, missing */
        "log a\nstart 1\nend 2\nrecovery 1\n",
        "log a\nstart -1\nend 2\n",   /* below the end */
        "start 1\nlog a\n" POSITIONS, /* of no log */
    };
    assert_int_equal(parse("log a b\n" POSITIONS "file x 1 00000000\n"), RW_OK);
    assert_int_equal(parse("data\n"), RW_OK);
    for (size_t i = 0; i < RW_COUNT(bad); i++)
        assert_int_equal(parse(bad[i]), RW_E_CORRUPT);
    struct rw_backup b;
    assert_int_equal(rw_backup_parse("rollway-backup 1\nend 0\n", 23, &b), RW_E_UNSUPPORTED);
    assert_int_equal(rw_backup_parse("", 0, &b), RW_E_CORRUPT);
}

static void stored_names(void **state)
{
    (void)state;
    char name[80];
    const struct rw_backup_file f = {.name = "00000000000000000000.log", .crc = 0xab};
    rw_backup_stored_name(&f, name);
    assert_string_equal(name, "00000000000000000000.log.000000ab");
    assert_true(rw_backup_is_stored_name(name));
    assert_true(rw_backup_is_stored_name("00000000000000000000.log.000000ab.tmp"));
    assert_false(rw_backup_is_stored_name("00000000000000000000.log"));
    assert_false(rw_backup_is_stored_name(RW_BACKUP_MANIFEST));
    assert_true(rw_backup_is_stored_name("00000000000000000007.snapshot.0123cdef"));
    assert_true(rw_backup_is_stored_name("leader-epoch-checkpoint.00000000"));
    assert_true(rw_backup_is_stored_name("meta.properties.89abcdef.tmp"));
    assert_false(rw_backup_is_stored_name(".tmp"));
    assert_false(rw_backup_is_stored_name(""));
    /* What is somebody else's. */
    assert_false(rw_backup_is_stored_name("database.20261122"));
    assert_false(rw_backup_is_stored_name("photo.deadbeef.tmp"));
    assert_false(rw_backup_is_stored_name("00000000000000000000.log.000000ab.old"));
    assert_false(rw_backup_is_stored_name("00000000000000000000.logs.000000ab"));
    assert_false(rw_backup_is_stored_name("00000000000000000000.index.000000ab"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back), cmocka_unit_test(refused),
                                       cmocka_unit_test(stored_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
