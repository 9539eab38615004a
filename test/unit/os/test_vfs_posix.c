/* The real files: what env/vfs.h promises, against the file system the tests run on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"

struct fixture {
    struct rw_vfs *v;
    char dir[64];
    char path[128];
};

static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof(*x));
    x->v = rw_os_env()->vfs;
    strcpy(x->dir, "/tmp/rollway-vfs-XXXXXX");
    if (!mkdtemp(x->dir))
        return -1;
    snprintf(x->path, sizeof(x->path), "%s/file", x->dir);
    *state = x;
    return 0;
}

static int remove_entry(void *arg, const char *name)
{
    struct fixture *x = arg;
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", x->dir, name);
    return remove(path);
}

static int teardown(void **state)
{
    struct fixture *x = *state;
    int bad = x->v->ops->list(x->v, x->dir, remove_entry, x) || rmdir(x->dir);
    free(x);
    return bad;
}

static struct rw_file *open_new(struct fixture *x)
{
    struct rw_file *f;
    assert_int_equal(rw_vfs_open(x->v, x->path, RW_OPEN_WRITE | RW_OPEN_CREATE, &f), RW_OK);
    return f;
}

static void reads_what_it_wrote(void **state)
{
    struct rw_file *f = open_new(*state);
    char out[16];
    size_t n = 99;
    assert_int_equal(rw_file_write_at(f, 5, "hello", 5), RW_OK);
    assert_int_equal(rw_file_read_at(f, 0, out, sizeof(out), &n), RW_OK);
    assert_int_equal(n, 10); /* short only at the end of the file */
    assert_memory_equal(out, "\0\0\0\0\0hello", 10);
    assert_int_equal(rw_file_read_at(f, 10, out, 1, &n), RW_OK);
    assert_int_equal(n, 0);
    uint64_t size;
    assert_int_equal(f->ops->size(f, &size), RW_OK);
    assert_int_equal(size, 10);
    assert_int_equal(f->ops->truncate(f, 7), RW_OK);
    assert_int_equal(f->ops->size(f, &size), RW_OK);
    assert_int_equal(size, 7);
    assert_int_equal(f->ops->sync_data(f), RW_OK);
    assert_int_equal(f->ops->sync_full(f), RW_OK);
    rw_file_close(f);
}

/* More pieces than one call takes, some of them empty. */
static void writes_many_pieces(void **state)
{
    struct rw_file *f = open_new(*state);
    enum { PIECES = 1500 };
    struct rw_iov iov[PIECES];
    char want[3 * PIECES];
    size_t total = 0;
    for (size_t i = 0; i < PIECES; i++) {
        size_t n = i % 4;
        memset(want + total, (char)('a' + i % 26), n);
        iov[i] = (struct rw_iov){want + total, n};
        total += n;
    }
    assert_int_equal(f->ops->write_at(f, 0, iov, PIECES), RW_OK);
    char got[sizeof(want)];
    size_t n;
    assert_int_equal(rw_file_read_at(f, 0, got, sizeof(got), &n), RW_OK);
    assert_int_equal(n, total);
    assert_memory_equal(got, want, total);
    assert_int_equal(f->ops->write_at(f, 0, iov, 0), RW_OK);
    rw_file_close(f);
}

static void open_flags(void **state)
{
    struct fixture *x = *state;
    struct rw_file *f = NULL;
    assert_int_equal(rw_vfs_open(x->v, x->path, RW_OPEN_READ, &f), RW_E_NOT_FOUND);
    assert_null(f);
    assert_non_null(strstr(rw_os_last_error(), x->path));
    assert_non_null(strstr(rw_os_last_error(), "No such file"));
    rw_file_close(open_new(x));
    unsigned excl = RW_OPEN_WRITE | RW_OPEN_CREATE | RW_OPEN_EXCL;
    assert_int_equal(rw_vfs_open(x->v, x->path, excl, &f), RW_E_EXISTS);
    f = open_new(x);
    assert_int_equal(rw_file_write_at(f, 0, "abc", 3), RW_OK);
    rw_file_close(f);
    assert_int_equal(rw_vfs_open(x->v, x->path, RW_OPEN_WRITE | RW_OPEN_TRUNC, &f), RW_OK);
    uint64_t size = 9;
    assert_int_equal(f->ops->size(f, &size), RW_OK);
    assert_int_equal(size, 0);
    rw_file_close(f);
    assert_int_equal(rw_vfs_open(x->v, x->dir, RW_OPEN_WRITE, &f), RW_E_INVAL);
}

static void reserve_keeps_the_size(void **state)
{
    struct fixture *x = *state;
    struct rw_file *f = open_new(x);
    int code = f->ops->reserve(f, 1 << 20);
    if (code == RW_E_UNSUPPORTED) {
        rw_file_close(f);
        skip();
    }
    assert_int_equal(code, RW_OK);
    struct rw_stat st;
    assert_int_equal(x->v->ops->stat(x->v, x->path, &st), RW_OK);
    assert_int_equal(st.size, 0);
    assert_true(st.allocated >= 1 << 20);
    assert_false(st.is_dir);
    assert_true(st.mtime_ms > 1500000000000);
    rw_file_close(f);
}

static void a_map_sees_later_writes(void **state)
{
    struct rw_file *f = open_new(*state);
    const void *map;
    assert_int_equal(f->ops->map(f, 65536, &map), RW_OK);
    assert_int_equal(rw_file_write_at(f, 0, "later", 5), RW_OK);
    assert_memory_equal(map, "later", 5);
    f->ops->unmap(f, map, 65536);
    rw_file_close(f);
}

/* Two handles of this process, then a handle of another process. */
static void locks_exclude(void **state)
{
    struct fixture *x = *state;
    struct rw_file *a = open_new(x), *b = open_new(x);
    assert_int_equal(a->ops->lock(a), RW_OK);
    assert_int_equal(b->ops->lock(b), RW_E_LOCKED);
    pid_t child = fork();
    if (child == 0) {
        struct rw_file *c;
        int bad = rw_vfs_open(x->v, x->path, RW_OPEN_WRITE, &c) || c->ops->lock(c) != RW_E_LOCKED;
        struct flock classic = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        bad |= fcntl(rw_os_file_fd(c), F_SETLK, &classic) == 0;
        _exit(bad);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    rw_file_close(a);
    assert_int_equal(b->ops->lock(b), RW_OK);
    rw_file_close(b);
}

/* A kill releases the lock: nobody has to remove a stale one. */
static void death_releases_the_lock(void **state)
{
    struct fixture *x = *state;
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        struct rw_file *c;
        if (rw_vfs_open(x->v, x->path, RW_OPEN_WRITE | RW_OPEN_CREATE, &c) || c->ops->lock(c))
            _exit(1);
        if (write(pipes[1], "x", 1) != 1)
            _exit(1);
        pause();
    }
    char c;
    close(pipes[1]);
    assert_int_equal(read(pipes[0], &c, 1), 1);
    close(pipes[0]);
    struct rw_file *f = open_new(x);
    assert_int_equal(f->ops->lock(f), RW_E_LOCKED);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(f->ops->lock(f), RW_OK);
    rw_file_close(f);
}

static int count_entry(void *arg, const char *name)
{
    int *n = arg;
    return name[0] == 's' ? 7 : (++*n, 0);
}

static void names(void **state)
{
    struct fixture *x = *state;
    const struct rw_vfs_ops *o = x->v->ops;
    char sub[160], moved[160];
    snprintf(sub, sizeof(sub), "%s/a", x->dir);
    snprintf(moved, sizeof(moved), "%s/stop", x->dir);
    assert_int_equal(o->mkdir(x->v, sub), RW_OK);
    assert_int_equal(o->mkdir(x->v, sub), RW_E_EXISTS);
    rw_file_close(open_new(x));
    int n = 0;
    assert_int_equal(o->list(x->v, x->dir, count_entry, &n), RW_OK);
    assert_int_equal(n, 2);
    assert_int_equal(o->rename(x->v, sub, moved), RW_OK);
    assert_int_equal(o->list(x->v, x->dir, count_entry, &n), 7);
    struct rw_stat st;
    assert_int_equal(o->stat(x->v, sub, &st), RW_E_NOT_FOUND);
    assert_int_equal(o->stat(x->v, moved, &st), RW_OK);
    assert_true(st.is_dir);
    assert_int_equal(o->rmdir(x->v, x->dir), RW_E_EXISTS); /* not empty */
    assert_int_equal(o->sync_dir(x->v, x->dir), RW_OK);
    assert_int_equal(o->rmdir(x->v, moved), RW_OK);
    assert_int_equal(o->sync_dir(x->v, moved), RW_E_NOT_FOUND);
    assert_int_equal(o->unlink(x->v, x->path), RW_OK);
    assert_int_equal(o->unlink(x->v, x->path), RW_E_NOT_FOUND);
    assert_int_equal(o->rename(x->v, sub, moved), RW_E_NOT_FOUND);
    assert_int_equal(o->list(x->v, sub, count_entry, &n), RW_E_NOT_FOUND);
    struct rw_space space;
    assert_int_equal(o->space(x->v, x->dir, &space), RW_OK);
    assert_true(space.total >= space.available && space.total > 0);
}

/* Without reading it, as is_cached() may. */
static bool page_is_in_core(const char *path, long i)
{
    int fd = open(path, O_RDWR);
    void *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, i * 4096);
    unsigned char in = 1;
    assert_true(p != MAP_FAILED);
    assert_int_equal(mincore(p, 4096, &in), 0);
    munmap(p, 4096);
    close(fd);
    return in & 1;
}

static bool kernel_counts_pages(const char *path)
{
    uint64_t range[2] = {0, 4096}, counts[5];
    int fd = open(path, O_RDWR);
    long rc = syscall(451, fd, range, counts, 0u); /* cachestat, since Linux 6.5 */
    close(fd);
    return rc == 0;
}

/* One page in the middle is not where a few samples are looked for. */
static void one_page_is_missed(void **state)
{
    struct fixture *x = *state;
    struct rw_file *f = open_new(x);
    char *block = calloc(1, 4096);
    int obeyed = 0, cold = 0;
    bool counts = sysconf(_SC_PAGESIZE) == 4096 && kernel_counts_pages(x->path);
    for (int i = 0; counts && i < 20; i++) {
        /* Page by page, or they would be one large folio, which comes and goes as a whole. */
        for (uint64_t at = 0; at < 1 << 20; at += 4096)
            assert_int_equal(rw_file_write_at(f, at, block, 4096), RW_OK);
        assert_true(f->ops->is_cached(f, 0, 1 << 20));
        assert_true(f->ops->is_cached(f, 4095, (1 << 20) - 4095));
        assert_int_equal(f->ops->sync_data(f), RW_OK);
        f->ops->advise(f, 100 * 4096, 4096, false);
        if (page_is_in_core(x->path, 100))
            continue;
        obeyed++;
        assert_true(f->ops->is_cached(f, 0, 100 * 4096));
        cold += !f->ops->is_cached(f, 0, 1 << 20);
        cold += !f->ops->is_cached(f, 101 * 4096 - 1, 4096);
    }
    print_message("page given up %d times, missed %d times\n", obeyed, cold);
    assert_int_equal(cold, 2 * obeyed);
    free(block);
    rw_file_close(f);
}

/* Whether the kernel obeys is its business. When it does, asking makes it read the page, and a quick disk has
 * it there in time for the answer, now and then: not each time. */
static void page_cache(void **state)
{
    struct fixture *x = *state;
    struct rw_file *f = open_new(x);
    char *block = calloc(1, 1 << 20);
    int obeyed = 0, cold = 0;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(rw_file_write_at(f, 0, block, 1 << 20), RW_OK);
        assert_true(f->ops->is_cached(f, 0, 1 << 20));
        assert_true(f->ops->is_cached(f, 100, 0));
        assert_int_equal(f->ops->sync_data(f), RW_OK);
        f->ops->advise(f, 0, 1 << 20, false);
        if (page_is_in_core(x->path, 0))
            continue;
        obeyed++;
        cold += !f->ops->is_cached(f, 0, 1);
    }
    assert_true(obeyed == 0 || cold > 0);
    f->ops->advise(f, 0, 1 << 20, true);
    free(block);
    rw_file_close(f);
}

/* A write beyond the file size limit comes back as "full", with words, and the handle goes on. */
static void full(void **state)
{
    struct fixture *x = *state;
    struct rw_file *f = open_new(x);
    struct rlimit old, low;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    low = old;
    low.rlim_cur = 8192;
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    char block[4096] = {0};
    struct rw_iov iov[3] = {{block, 4096}, {block, 4096}, {block, 4096}};
    int code = f->ops->write_at(f, 0, iov, 3);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, before);
    assert_int_equal(code, RW_E_FULL);
    assert_non_null(strstr(rw_os_last_error(), "too large"));
    uint64_t size = 0;
    assert_int_equal(f->ops->size(f, &size), RW_OK);
    assert_int_equal(size, 8192); /* the prefix that fitted */
    assert_int_equal(f->ops->write_at(f, 0, iov, 3), RW_OK);
    rw_file_close(f);
}

static void errno_has_codes(void **state)
{
    (void)state;
    assert_int_equal(rw_os_code(ENOSPC), RW_E_FULL);
    assert_int_equal(rw_os_code(EDQUOT), RW_E_FULL);
    assert_int_equal(rw_os_code(EIO), RW_E_IO);
    assert_int_equal(rw_os_code(EROFS), RW_E_PERM);
    assert_int_equal(rw_os_code(EMFILE), RW_E_LIMIT);
    for (int e = 1; e < 134; e++)
        assert_int_not_equal(rw_os_code(e), RW_OK);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(reads_what_it_wrote),
                                       T(writes_many_pieces),
                                       T(open_flags),
                                       T(reserve_keeps_the_size),
                                       T(a_map_sees_later_writes),
                                       T(locks_exclude),
                                       T(death_releases_the_lock),
                                       T(names),
                                       T(page_cache),
                                       T(one_page_is_missed),
                                       T(full),
                                       cmocka_unit_test(errno_has_codes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
