/* Where a log lies: alone, or as a partition of a broker's data directory; what is kept beside it. */
#include "lib_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST "00000000000000000000.log"

static const struct rollway_log_options os = {.durability = ROLLWAY_DURABLE_OS};

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fputs(text, f) >= 0, 1);
    assert_int_equal(fclose(f), 0);
}

/* "" when there is no such file. */
static const char *read_file(const char *dir, const char *name, char text[512])
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, 511, f) : 0;
    text[n] = 0;
    if (f)
        fclose(f);
    return text;
}

static void flip(const char *dir, long at)
{
    char path[256], byte;
    snprintf(path, sizeof(path), "%s/" FIRST, dir);
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte = (char)~byte;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* The root becomes what a stopped broker left: events-0 has ten records, other-1 does not matter. */
static void make_data_dir(const struct fixture *f)
{
    struct rollway_log *log = open_with(f, os);
    for (int i = 0; i < 10; i++)
        put(log, "acknowledged");
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
    static const char *const own[] = {".lock", ".rollway-clean", "log-start-offset-checkpoint",
                                      "recovery-point-offset-checkpoint"};
    for (int i = 0; i < 4; i++) {
        char path[256];
        snprintf(path, sizeof(path), "%s/%s", f->dir, own[i]);
        assert_int_equal(unlink(path), 0);
    }
    write_file(f->root, "meta.properties", "version=1\ncluster.id=c\nnode.id=7\n");
    write_file(f->root, ".kafka_cleanshutdown", "{}");
    write_file(f->root, "recovery-point-offset-checkpoint", "0\n2\nother 1 33\nevents 0 10\n");
    write_file(f->root, "log-start-offset-checkpoint", "0\n1\nother 1 5\n");
    write_file(f->root, "replication-offset-checkpoint", "0\n2\nevents 0 10\nother 1 30\n");
}

static void every_way_to_a_log_meets_the_same_lock(void **state)
{
    const struct fixture *f = *state;
    char data[96], link_path[96], slash[96], here[256];
    struct rollway_log *log = NULL;
    make_data_dir(f);
    snprintf(data, sizeof(data), "%s/.lock", f->root);
    snprintf(link_path, sizeof(link_path), "%s/link", f->root);
    snprintf(slash, sizeof(slash), "%s/", f->dir);
    assert_int_equal(symlink(f->dir, link_path), 0);
    int fd = open(data, O_RDWR | O_CREAT, 0644);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(chdir(f->dir), 0);
    const char *const ways[] = {f->dir, slash, link_path, ".", "../events-0/."};
    for (int i = 0; i < 5; i++)
        assert_int_equal(rollway_log_open(ways[i], NULL, &log), ROLLWAY_E_LOCKED);
    close(fd);
    for (int i = 0; i < 5; i++) {
        log = open_at(ways[i], os);
        assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
    }
    assert_int_equal(chdir(here), 0);
    assert_int_equal(unlink(link_path), 0);
}

static void a_data_directory_is_no_log(void **state)
{
    const struct fixture *f = *state;
    char text[512];
    struct rollway_log *log = NULL;
    make_data_dir(f);
    for (int read_only = 0; read_only < 2; read_only++) {
        const struct rollway_log_options o = {.size = sizeof(o), .read_only = read_only};
        assert_int_equal(rollway_log_open(f->root, &o, &log), ROLLWAY_E_INVAL);
        assert_non_null(strstr(rollway_log_error(NULL), "data directory of a broker"));
    }
    assert_string_equal(read_file(f->root, "recovery-point-offset-checkpoint", text),
                        "0\n2\nother 1 33\nevents 0 10\n");
    assert_string_equal(read_file(f->root, ".kafka_cleanshutdown", text), "{}");
}

static void must_exist_makes_no_log_of_a_directory(void **state)
{
    const struct fixture *f = *state;
    const struct rollway_log_options o = {.size = sizeof(o), .must_exist = 1};
    struct rollway_log *log = NULL;
    assert_int_equal(rollway_log_open(f->root, &o, &log), ROLLWAY_E_NOT_FOUND);
    assert_int_equal(rmdir(f->root), 0); /* it is as empty as it was */
    assert_int_equal(mkdir(f->root, 0755), 0);
    assert_int_equal(rollway_log_close(open_with(f, os)), ROLLWAY_OK);
    assert_int_equal(rollway_log_close(open_with(f, o)), ROLLWAY_OK);
}

/* What was durable for the broker is damage for the library too, not a torn end. */
static void damage_below_the_parents_recovery_point_is_kept(void **state)
{
    const struct fixture *f = *state;
    char text[512], mark[96];
    make_data_dir(f);
    flip(f->dir, 70);
    snprintf(mark, sizeof(mark), "%s/.kafka_cleanshutdown", f->root);
    for (int clean = 1; clean >= 0; clean--) {
        if (!clean)
            assert_int_equal(unlink(mark), 0);
        struct rollway_log *log = open_with(f, os);
        assert_string_equal(read_file(f->root, ".kafka_cleanshutdown", text), "");
        assert_int_equal(rollway_log_cut_bytes(log), 0);
        assert_int_equal(rollway_log_end_offset(log), 10);
        assert_int_equal(count_from(log, 1), 9);
        assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
        /* It is put back when it was there. */
        assert_int_equal(*read_file(f->root, ".kafka_cleanshutdown", text) != 0, clean);
    }
}

static void the_data_directory_hears_of_trim_and_truncate(void **state)
{
    const struct fixture *f = *state;
    char text[512];
    make_data_dir(f);
    struct rollway_log *log = open_with(f, os);
    assert_int_equal(rollway_log_trim(log, 4), ROLLWAY_OK);
    assert_non_null(
        strstr(read_file(f->root, "log-start-offset-checkpoint", text), "events 0 4\n"));
    assert_int_equal(rollway_log_truncate(log, 6), ROLLWAY_OK);
    assert_non_null(
        strstr(read_file(f->root, "recovery-point-offset-checkpoint", text), "events 0 6\n"));
    assert_non_null(strstr(text, "other 1 33\n"));
    assert_non_null(
        strstr(read_file(f->root, "replication-offset-checkpoint", text), "events 0 6\n"));
    assert_non_null(strstr(text, "other 1 30\n"));
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
    log = open_with(f, os);
    assert_int_equal(rollway_log_start_offset(log), 4);
    assert_int_equal(rollway_log_end_offset(log), 6);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
    assert_string_equal(read_file(f->dir, "log-start-offset-checkpoint", text), "");
}

/* A start is written at once, a recovery point now and then: one may be there without the other. */
static void a_start_without_a_recovery_point_counts(void **state)
{
    const struct fixture *f = *state;
    make_data_dir(f);
    write_file(f->root, "recovery-point-offset-checkpoint", "0\n1\nother 1 33\n");
    write_file(f->root, "log-start-offset-checkpoint", "0\n2\nother 1 5\nevents 0 3\n");
    for (int read_only = 1; read_only >= 0; read_only--) {
        struct rollway_log *log =
            open_with(f, (struct rollway_log_options){.read_only = read_only});
        assert_int_equal(rollway_log_start_offset(log), 3);
        assert_int_equal(count_from(log, 3), 7);
        assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
    }
}

static void the_start_follows_the_log_to_another_name(void **state)
{
    const struct fixture *f = *state;
    char other[96], here[256];
    struct rollway_log *log = open_with(f, os);
    for (int i = 0; i < 10; i++)
        put(log, "x");
    assert_int_equal(rollway_log_trim(log, 7), ROLLWAY_OK);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
    snprintf(other, sizeof(other), "%s/renamed", f->root);
    assert_int_equal(rename(f->dir, other), 0);
    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(chdir(other), 0);
    const char *const ways[] = {other, "."};
    for (int i = 0; i < 2; i++) {
        log = open_at(ways[i], os);
        assert_int_equal(rollway_log_start_offset(log), 7);
        assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
    }
    assert_int_equal(chdir(here), 0);
}

/* Nothing says that the records were durable: then what is not whole is cut off, and told; or not. */
static void what_opening_cuts_off_is_told(void **state)
{
    const struct fixture *f = *state;
    char path[128];
    struct rollway_log *log = open_with(f, os);
    put(log, "whole");
    uint64_t whole = rollway_log_size(log);
    for (int i = 0; i < 3; i++)
        put(log, "lost");
    uint64_t all = rollway_log_size(log);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
    static const char *const own[] = {".rollway-clean", "recovery-point-offset-checkpoint"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%s", f->dir, own[i]);
        assert_int_equal(unlink(path), 0);
    }
    flip(f->dir, (long)whole + 70);
    const struct rollway_log_options o = {.size = sizeof(o), .no_cut = 1};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rollway_log_open(f->dir, &o, &log), ROLLWAY_E_CORRUPT);
        assert_non_null(strstr(rollway_log_error(NULL), "cut off"));
        struct stat st;
        snprintf(path, sizeof(path), "%s/" FIRST, f->dir);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, all);
    }
    log = open_with(f, os);
    assert_int_equal(rollway_log_end_offset(log), 1);
    assert_int_equal(rollway_log_cut_bytes(log), all - whole);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
    log = open_with(f, o);
    assert_int_equal(rollway_log_cut_bytes(log), 0);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
}

/* A child that lives on must not keep a log locked that its parent has closed. */
static void a_forked_child_holds_no_lock(void **state)
{
    const struct fixture *f = *state;
    int ends[2], status;
    char c;
    assert_int_equal(pipe(ends), 0);
    struct rollway_log *log = open_with(f, os);
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        _exit(read(ends[0], &c, 1) == 0 ? 0 : 1); /* until the parent lets go */
    }
    close(ends[0]);
    assert_int_equal(rollway_log_close(log), ROLLWAY_OK);
    assert_int_equal(rollway_log_close(open_with(f, os)), ROLLWAY_OK);
    close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_way_to_a_log_meets_the_same_lock),
        T(a_data_directory_is_no_log),
        T(must_exist_makes_no_log_of_a_directory),
        T(damage_below_the_parents_recovery_point_is_kept),
        T(the_data_directory_hears_of_trim_and_truncate),
        T(a_start_without_a_recovery_point_counts),
        T(the_start_follows_the_log_to_another_name),
        T(what_opening_cuts_off_is_told),
        T(a_forked_child_holds_no_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
