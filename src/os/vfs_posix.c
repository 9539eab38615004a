/*
 * Files of the operating system. Everything a caller must not forget about POSIX is dealt with
 * here: EINTR, short reads and writes, limits on vectors, and that a failed fsync must not be
 * believed when it is repeated.
 *
 * Invariants:
 * - After a sync of a file failed, every later sync of the same handle fails: the kernel has marked
 *   the lost pages clean and would report success (https://lwn.net/Articles/752063/).
 * - A lock belongs to the open file description (F_OFD_SETLK), so two handles of one process
 * exclude each other, and so does another program that takes a classic POSIX lock on the file.
 *
 * Not here: buffering, O_DIRECT, asynchronous I/O.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/mem.h"
#include "os/os.h"
#include "os/parts.h"

struct posix_file {
    struct rw_file file; /* first: the interface */
    int fd;
    bool locked;
    atomic_int sync_failed; /* errno of the failed sync, 0 when none */
    char path[];
};

static struct posix_file *of(struct rw_file *f)
{
    return (struct posix_file *)f;
}

static int fail_file(struct posix_file *p, const char *op)
{
    return rw_os_fail(errno, op, p->path);
}

static int vfs_open(struct rw_vfs *v, const char *path, unsigned flags, struct rw_file **ret_file)
{
    size_t n = strlen(path) + 1;
    struct posix_file *p = rw_alloc(sizeof(*p) + n);
    if (!p)
        return RW_E_NOMEM;
    int how = O_CLOEXEC | (flags & RW_OPEN_WRITE ? O_RDWR : O_RDONLY) |
              (flags & RW_OPEN_CREATE ? O_CREAT : 0) | (flags & RW_OPEN_EXCL ? O_EXCL : 0) |
              (flags & RW_OPEN_TRUNC ? O_TRUNC : 0);
    int fd;
    do
        fd = rw_os_fd_apart(open(path, how, 0644));
    while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        int code = rw_os_fail(errno, "open", path);
        rw_free(p);
        return code;
    }
    p->file = (struct rw_file){.ops = v->ops, .vfs = v};
    p->fd = fd;
    p->locked = false;
    atomic_init(&p->sync_failed, 0);
    memcpy(p->path, path, n);
    *ret_file = &p->file;
    return RW_OK;
}

/* 0, or -1 and errno. */
static int set_lock(int fd, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
    int r;
    do
        r = fcntl(fd, F_OFD_SETLK, &lock);
    while (r < 0 && errno == EINTR);
    if (r < 0 && errno == EINVAL) /* a file system without them */
        r = flock(fd, type == F_UNLCK ? LOCK_UN : LOCK_EX | LOCK_NB);
    return r;
}

/* Linux releases the descriptor whatever close() returns, and local file systems report write
 * errors at fsync, not here: there is nothing to do about its result. */
static void file_close(struct rw_file *f)
{
    /* Closing is not enough: a child that was forked meanwhile shares the lock and would keep it. */
    if (of(f)->locked)
        set_lock(of(f)->fd, F_UNLCK);
    close(of(f)->fd);
    rw_free(of(f));
}

static int file_read_at(struct rw_file *f, uint64_t at, void *p, size_t n, size_t *ret_n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t got = pread(of(f)->fd, (char *)p + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_file(of(f), "read");
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *ret_n = done;
    return RW_OK;
}

#define IOV_BATCH 128

/* Takes up to IOV_BATCH pieces off the list; the first `skip` bytes of the first one are written
 * already. */
static int gather(const struct rw_iov *iov, size_t n_iov, size_t skip, struct iovec *out)
{
    int n = 0;
    for (size_t i = 0; i < n_iov && n < IOV_BATCH; i++) {
        /* iovec has no const variant; pwritev only reads. */
        out[n].iov_base = (char *)(uintptr_t)iov[i].p + skip;
        out[n].iov_len = iov[i].n - skip;
        skip = 0;
        n++;
    }
    return n;
}

static int file_write_at(struct rw_file *f, uint64_t at, const struct rw_iov *iov, size_t n_iov)
{
    size_t skip = 0;
    for (;;) {
        while (n_iov > 0 && skip >= iov->n) {
            skip -= iov->n;
            iov++;
            n_iov--;
        }
        if (n_iov == 0)
            return RW_OK;
        struct iovec out[IOV_BATCH];
        int n = gather(iov, n_iov, skip, out);
        /* The vector costs the kernel an eighth of a small write. */
        ssize_t put = n == 1 ? pwrite(of(f)->fd, out[0].iov_base, out[0].iov_len, (off_t)at)
                             : pwritev(of(f)->fd, out, n, (off_t)at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            errno = put == 0 ? EIO : errno; /* no progress: do not spin */
            return fail_file(of(f), "write");
        }
        at += (uint64_t)put;
        skip += (size_t)put;
    }
}

static int sync_with(struct rw_file *f, int (*call)(int fd), const char *op)
{
    struct posix_file *p = of(f);
    int failed = atomic_load(&p->sync_failed);
    if (failed) {
        errno = failed;
        return fail_file(p, op);
    }
    int r;
    do
        r = call(p->fd);
    while (r < 0 && errno == EINTR); /* interrupted before it began; not a write-back error */
    if (r == 0)
        return RW_OK;
    atomic_store(&p->sync_failed, errno);
    int code = fail_file(p, op);
    /* Delayed allocation: ENOSPC can come as late as here, but the data is gone all the same. */
    return code == RW_E_FULL ? RW_E_IO : code;
}

static int file_sync_data(struct rw_file *f)
{
    return sync_with(f, fdatasync, "fdatasync");
}

static int file_sync_full(struct rw_file *f)
{
    return sync_with(f, fsync, "fsync");
}

static int file_truncate(struct rw_file *f, uint64_t size)
{
    int r;
    do
        r = ftruncate(of(f)->fd, (off_t)size);
    while (r < 0 && errno == EINTR);
    return r < 0 ? fail_file(of(f), "truncate") : RW_OK;
}

static int file_reserve(struct rw_file *f, uint64_t size)
{
    if (size == 0)
        return RW_OK;
    int r;
    do
        r = fallocate(of(f)->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size);
    while (r < 0 && errno == EINTR);
    return r < 0 ? fail_file(of(f), "reserve space for") : RW_OK;
}

static int file_size(struct rw_file *f, uint64_t *ret_size)
{
    struct stat st;
    if (fstat(of(f)->fd, &st) < 0)
        return fail_file(of(f), "stat");
    *ret_size = (uint64_t)st.st_size;
    return RW_OK;
}

static int file_map(struct rw_file *f, size_t n, const void **ret_p)
{
    void *p = mmap(NULL, n, PROT_READ, MAP_SHARED, of(f)->fd, 0);
    if (p == MAP_FAILED)
        return fail_file(of(f), "map");
    *ret_p = p;
    return RW_OK;
}

static void file_unmap(struct rw_file *f, const void *p, size_t n)
{
    (void)f;
    int r = munmap((void *)(uintptr_t)p, n);
    RW_ASSERT(r == 0);
}

static int file_lock(struct rw_file *f)
{
    int r = set_lock(of(f)->fd, F_WRLCK);
    of(f)->locked = r == 0;
    if (r < 0 && (errno == EAGAIN || errno == EACCES)) {
        (void)rw_os_fail(errno, "lock", of(f)->path);
        return RW_E_LOCKED;
    }
    return r < 0 ? fail_file(of(f), "lock") : RW_OK;
}

static void file_advise(struct rw_file *f, uint64_t at, uint64_t n, bool will_need)
{
    /* A hint: whatever it returns changes nothing. */
    (void)posix_fadvise(of(f)->fd, (off_t)at, (off_t)n,
                        will_need ? POSIX_FADV_WILLNEED : POSIX_FADV_DONTNEED);
}

/* mincore() on a mapping of one page: for file systems without RWF_NOWAIT. */
static bool page_in_core(int fd, uint64_t at)
{
    const uint64_t page = 4096;
    void *p = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, (off_t)(at / page * page));
    if (p == MAP_FAILED)
        return false;
    unsigned char in = 0;
    bool cached = mincore(p, page, &in) == 0 && (in & 1);
    munmap(p, page);
    return cached;
}

static bool byte_cached(int fd, uint64_t at)
{
    char c;
    struct iovec iov = {.iov_base = &c, .iov_len = 1};
    ssize_t got = preadv2(fd, &iov, 1, (off_t)at, RWF_NOWAIT);
    if (got >= 0)
        return true; /* 0: past the end, nothing to wait for */
    return errno == EOPNOTSUPP ? page_in_core(fd, at) : false;
}

/* Looks at a few places: read-ahead and eviction work in runs of pages, so a hole between samples is rare
 * and costs one slow send. */
static bool samples_cached(int fd, uint64_t at, uint64_t n)
{
    const uint64_t samples = 6;
    uint64_t step = n / samples;
    if (step < 4096)
        step = 4096;
    for (uint64_t i = 0; i < n; i += step)
        if (!byte_cached(fd, at + i))
            return false;
    return true;
}

/* cachestat(2), Linux 6.5: one call for all pages of a range, and none of them is touched. glibc has
 * neither the call nor its structures before 2.38, and seccomp profiles may refuse it. -1: it can not say. */
static int all_cached(int fd, uint64_t at, uint64_t n)
{
#ifndef SYS_cachestat
#define SYS_cachestat 451 /* on every architecture that shares the numbers since Linux 5.1 */
#endif
    struct {
        uint64_t at, n;
    } range = {at, n};
    struct {
        uint64_t cached, dirty, writeback, evicted, recently_evicted;
    } pages = {0};
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    if (syscall(SYS_cachestat, fd, &range, &pages, 0u) < 0)
        return -1;
    return pages.cached >= (at + n - 1) / page - at / page + 1;
}

/* The last byte is looked at in any case: a page that is just being read counts as cached, and reads end
 * in their order. */
static bool file_is_cached(struct rw_file *f, uint64_t at, uint64_t n)
{
    int fd = of(f)->fd;
    if (n == 0)
        return true;
    int all = all_cached(fd, at, n);
    return all && byte_cached(fd, at + n - 1) && (all > 0 || samples_cached(fd, at, n));
}

static int vfs_rename(struct rw_vfs *v, const char *from, const char *to)
{
    (void)v;
    return rename(from, to) < 0 ? rw_os_fail(errno, "rename", from) : RW_OK;
}

static int vfs_unlink(struct rw_vfs *v, const char *path)
{
    (void)v;
    return unlink(path) < 0 ? rw_os_fail(errno, "remove", path) : RW_OK;
}

static int vfs_mkdir(struct rw_vfs *v, const char *path)
{
    (void)v;
    return mkdir(path, 0755) < 0 ? rw_os_fail(errno, "create directory", path) : RW_OK;
}

static int vfs_rmdir(struct rw_vfs *v, const char *path)
{
    (void)v;
    return rmdir(path) < 0 ? rw_os_fail(errno, "remove directory", path) : RW_OK;
}

static int vfs_sync_dir(struct rw_vfs *v, const char *path)
{
    (void)v;
    int fd;
    do
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return rw_os_fail(errno, "open directory", path);
    int r;
    do
        r = fsync(fd);
    while (r < 0 && errno == EINTR);
    int code = r < 0 ? rw_os_fail(errno, "fsync directory", path) : RW_OK;
    close(fd);
    return code;
}

static int vfs_list(struct rw_vfs *v, const char *path, int (*each)(void *arg, const char *name),
                    void *arg)
{
    (void)v;
    DIR *d = opendir(path);
    if (!d)
        return rw_os_fail(errno, "open directory", path);
    int code = RW_OK;
    while (code == RW_OK) {
        errno = 0;
        struct dirent *e = readdir(d);
        if (!e) {
            code = errno ? rw_os_fail(errno, "read directory", path) : RW_OK;
            break;
        }
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
            code = each(arg, e->d_name);
    }
    closedir(d);
    return code;
}

static int vfs_stat(struct rw_vfs *v, const char *path, struct rw_stat *ret_stat)
{
    (void)v;
    struct stat st;
    if (stat(path, &st) < 0)
        return rw_os_fail(errno, "stat", path);
    *ret_stat = (struct rw_stat){.size = (uint64_t)st.st_size,
                                 .allocated = (uint64_t)st.st_blocks * 512,
                                 .mtime_ms = (int64_t)st.st_mtim.tv_sec * 1000 +
                                             st.st_mtim.tv_nsec / 1000000,
                                 .id = (uint64_t)st.st_ino,
                                 .is_dir = S_ISDIR(st.st_mode)};
    return RW_OK;
}

static int vfs_space(struct rw_vfs *v, const char *path, struct rw_space *ret_space)
{
    (void)v;
    struct statvfs st;
    int r;
    do
        r = statvfs(path, &st);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return rw_os_fail(errno, "statvfs", path);
    ret_space->total = (uint64_t)st.f_blocks * st.f_frsize;
    ret_space->available = (uint64_t)st.f_bavail * st.f_frsize;
    return RW_OK;
}

static const struct rw_vfs_ops ops = {
    .open = vfs_open,
    .close = file_close,
    .read_at = file_read_at,
    .write_at = file_write_at,
    .sync_data = file_sync_data,
    .sync_full = file_sync_full,
    .truncate = file_truncate,
    .reserve = file_reserve,
    .size = file_size,
    .map = file_map,
    .unmap = file_unmap,
    .lock = file_lock,
    .advise = file_advise,
    .is_cached = file_is_cached,
    .rename = vfs_rename,
    .unlink = vfs_unlink,
    .mkdir = vfs_mkdir,
    .rmdir = vfs_rmdir,
    .sync_dir = vfs_sync_dir,
    .list = vfs_list,
    .stat = vfs_stat,
    .space = vfs_space,
};

struct rw_vfs rw_os_vfs = {.ops = &ops};

int rw_os_real_path(const char *path, char *ret, size_t n)
{
    char real[PATH_MAX];
    if (!realpath(path, real))
        return rw_os_fail(errno, "find", path);
    size_t size = strlen(real) + 1;
    if (size > n)
        return RW_E_TOO_BIG;
    memcpy(ret, real, size);
    return RW_OK;
}

bool rw_os_is_mounted(const char *path)
{
    struct statx st;
    return statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE, &st) == 0 &&
           st.stx_attributes & st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT;
}

int rw_os_file_fd(const struct rw_file *f)
{
    return f->ops == &ops ? ((const struct posix_file *)f)->fd : -1;
}
