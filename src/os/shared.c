/*
 * Shared mappings. Pages are reserved before they are touched: a store into a page for which a file system has no space ends
 * the process (SIGBUS), and that must not be the end of a program that only wanted to log.
 */
#include "os/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "os/os.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static int map(struct rw_os_shared *s, int flags)
{
    void *p = mmap(NULL, s->n, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, s->fd, 0);
    if (p == MAP_FAILED)
        return rw_os_fail(errno, "map", NULL);
    s->p = p;
    return RW_OK;
}

/* Somebody who looks for what the dead have left may have it for a moment, and take it away as unfinished: RW_E_EXISTS. */
static int lock_new(int fd, const char *path)
{
    struct stat st;
    while (flock(fd, LOCK_EX) != 0)
        if (errno != EINTR)
            return rw_os_fail(errno, "lock", path);
    return fstat(fd, &st) == 0 && st.st_nlink == 0 ? RW_E_EXISTS : RW_OK;
}

int rw_os_shared_create(const char *path, size_t n, struct rw_os_shared *ret_shared)
{
    struct rw_os_shared s = {.fd = -1, .n = n};
    if (!path) {
        int rc = map(&s, MAP_PRIVATE | MAP_ANONYMOUS);
        if (!rc)
            *ret_shared = s;
        return rc;
    }
    /* Beyond that limit a signal ends the process (SIGXFSZ). */
    struct rlimit most;
    if (getrlimit(RLIMIT_FSIZE, &most) == 0 && most.rlim_cur < n)
        return rw_os_fail(EFBIG, "extend", path);
    s.fd = rw_os_fd_apart(open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (s.fd < 0)
        return rw_os_fail(errno, "create", path);
    int rc = lock_new(s.fd, path);
    if (rc == RW_E_EXISTS) {
        close(s.fd);
        return rc;
    }
    if (!rc && ftruncate(s.fd, (off_t)n) != 0)
        rc = rw_os_fail(errno, "extend", path);
    if (!rc)
        rc = map(&s, MAP_SHARED);
    if (rc) {
        unlink(path);
        close(s.fd);
        return rc;
    }
    *ret_shared = s;
    return RW_OK;
}

int rw_os_shared_open(const char *path, size_t least, struct rw_os_shared *ret_shared)
{
    struct rw_os_shared s = {.fd = rw_os_fd_apart(open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW))};
    if (s.fd < 0)
        return rw_os_fail(errno, "open", path);
    struct stat st;
    int rc = RW_OK;
    if (flock(s.fd, LOCK_EX | LOCK_NB) != 0)
        rc = errno == EWOULDBLOCK ? RW_E_LOCKED : rw_os_fail(errno, "lock", path);
    else if (fstat(s.fd, &st) != 0)
        rc = rw_os_fail(errno, "stat", path);
    else if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < least)
        rc = RW_E_SHORT;
    else {
        s.n = (size_t)st.st_size;
        rc = map(&s, MAP_SHARED);
    }
    if (rc) {
        close(s.fd);
        return rc;
    }
    *ret_shared = s;
    return RW_OK;
}

/* The parts of the file that are there. */
static int copy_data(int fd, struct rw_os_shared *to, const char *path)
{
    off_t at = 0, size = (off_t)to->n;
    while (at < size) {
        off_t from = lseek(fd, at, SEEK_DATA);
        if (from < 0 && errno == ENXIO)
            return RW_OK;
        off_t end = from < 0 ? -1 : lseek(fd, from, SEEK_HOLE);
        if (end < 0)
            from = at, end = size; /* a file system that does not tell */
        for (at = from; at < end && at < size;) {
            ssize_t n = pread(fd, to->p + at, (size_t)((end < size ? end : size) - at), at);
            if (n <= 0)
                return rw_os_fail(n < 0 ? errno : EIO, "read", path);
            at += n;
        }
    }
    return RW_OK;
}

int rw_os_shared_copy(const char *path, size_t least, struct rw_os_shared *ret_shared)
{
    struct rw_os_shared s = {.fd = -1};
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return rw_os_fail(errno, "open", path);
    int rc = RW_OK;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0)
        rc = errno == EWOULDBLOCK ? RW_E_LOCKED : rw_os_fail(errno, "lock", path);
    else if (fstat(fd, &st) != 0)
        rc = rw_os_fail(errno, "stat", path);
    else if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < least)
        rc = RW_E_SHORT;
    else {
        s.n = (size_t)st.st_size;
        rc = map(&s, MAP_PRIVATE | MAP_ANONYMOUS);
    }
    if (!rc)
        rc = copy_data(fd, &s, path);
    close(fd);
    if (rc)
        rw_os_shared_close(&s);
    else
        *ret_shared = s;
    return rc;
}

void rw_os_shared_tidy(const char *path)
{
    uint64_t first = 0;
    int fd = rw_os_fd_apart(open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat st;
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        pread(fd, &first, sizeof(first), 0) >= 0 && first == 0)
        (void)unlink(path);
    close(fd);
}

void rw_os_shared_let_go(struct rw_os_shared *s)
{
    if (s->fd < 0)
        return;
    (void)flock(s->fd, LOCK_UN); /* a mapping keeps it beyond close() */
    close(s->fd);
    s->fd = -1;
}

void rw_os_shared_forget(struct rw_os_shared *s, bool keep_mapped)
{
    if (s->fd < 0)
        return;
    close(s->fd);
    s->fd = -1;
    if (!keep_mapped)
        (void)mmap(s->p, s->n, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

void rw_os_shared_close(struct rw_os_shared *s)
{
    if (s->p)
        munmap(s->p, s->n);
    if (s->fd >= 0)
        close(s->fd);
    *s = (struct rw_os_shared){.fd = -1};
}

bool rw_os_shared_populate(struct rw_os_shared *s, size_t at, size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), from = at & ~(page - 1);
    n += at - from;
    if (madvise(s->p + from, n, MADV_POPULATE_WRITE) == 0)
        return true;
    if (errno != EINVAL)
        return false;
    /* Before Linux 5.14: the space is taken, the pages come with the first touch. */
    return s->fd < 0 || fallocate(s->fd, FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)n) == 0;
}

void rw_os_shared_release(struct rw_os_shared *s, size_t at, size_t n)
{
    (void)madvise(s->p + at, n, s->fd >= 0 ? MADV_REMOVE : MADV_DONTNEED);
}
