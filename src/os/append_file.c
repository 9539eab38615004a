/*
 * Appending to files that others may write, move, cut and remove at any time. Nothing here remembers a position: the system is
 * asked, since another process may have been there in between.
 */
#include "os/append_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "os/os.h"

enum { LOCK_STEP_MIN_US = 50, LOCK_STEP_MAX_US = 5000, OPEN_ATTEMPTS = 8 };

static int make_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return ENOENT;
    char *dir = rw_memdup(path, (size_t)(slash - path) + 1);
    if (!dir)
        return ENOMEM;
    dir[slash - path] = 0;
    int err = mkdir(dir, 0755) == 0 || errno == EEXIST ? 0 : errno;
    rw_free(dir);
    return err;
}

/* Two steps, so that the mode is set (whatever the umask) only of what we made ourselves. */
static int open_or_make(const char *path, unsigned mode)
{
    int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    for (int i = 0; i < OPEN_ATTEMPTS; i++) {
        int fd = rw_os_fd_apart(open(path, flags));
        if (fd < 0 && (errno == EACCES || errno == EPERM)) /* may be written, but not read */
            fd = rw_os_fd_apart(open(path, (flags & ~O_ACCMODE) | O_WRONLY));
        if (fd >= 0 || errno != ENOENT || !mode)
            return fd;
        fd = rw_os_fd_apart(open(path, flags | O_CREAT | O_EXCL, (mode_t)mode));
        if (fd >= 0) {
            (void)fchmod(
                fd, (mode_t)mode); /* a file system without modes is no reason to log nothing */
            return fd;
        }
        if (errno == ENOENT) {
            int err = make_parent(path);
            if (err) {
                errno = err;
                return -1;
            }
        } else if (errno != EEXIST)
            return -1;
    }
    return -1;
}

int rw_os_append_open(const char *path, unsigned mode, struct rw_os_append *ret_file)
{
    struct rw_os_append f = {.fd = open_or_make(path, mode)};
    if (f.fd < 0)
        return rw_os_fail(errno, "open", path);
    struct stat st;
    if (fstat(f.fd, &st) != 0) {
        int rc = rw_os_fail(errno, "stat", path);
        close(f.fd);
        return rc;
    }
    f.regular = S_ISREG(st.st_mode);
    f.device = (uint64_t)st.st_dev;
    f.inode = (uint64_t)st.st_ino;
    *ret_file = f;
    return RW_OK;
}

/* A program that closes all descriptors (closefrom(3), daemons do) takes ours along, and the number may be its own file's by now. */
static bool is_ours(const struct rw_os_append *f, const struct stat *st)
{
    return (uint64_t)st->st_dev == f->device && (uint64_t)st->st_ino == f->inode;
}

void rw_os_append_close(struct rw_os_append *f)
{
    struct stat st;
    if (f->fd >= 0 && fstat(f->fd, &st) == 0 && is_ours(f, &st))
        close(f->fd);
    f->fd = -1;
}

int rw_os_append_write(struct rw_os_append *f, const char *p, size_t n, size_t *ret_n)
{
    *ret_n = 0;
    while (*ret_n < n) {
        ssize_t done = write(f->fd, p + *ret_n, n - *ret_n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return errno == EAGAIN ? RW_E_AGAIN : rw_os_fail(errno, "write", NULL);
        if (done == 0)
            return RW_E_IO;
        *ret_n += (size_t)done;
    }
    return RW_OK;
}

int rw_os_append_size(const struct rw_os_append *f, uint64_t *ret_size, int64_t *ret_modified_ms)
{
    struct stat st;
    if (fstat(f->fd, &st) != 0)
        return rw_os_fail(errno, "stat", NULL);
    if (!is_ours(f, &st))
        return rw_os_fail(EBADF, "stat", NULL);
    *ret_size = (uint64_t)st.st_size;
    if (ret_modified_ms)
        *ret_modified_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    return RW_OK;
}

int rw_os_append_read(const struct rw_os_append *f, uint64_t at, char *p, size_t n, size_t *ret_n)
{
    *ret_n = 0;
    while (*ret_n < n) {
        ssize_t done = pread(f->fd, p + *ret_n, n - *ret_n, (off_t)(at + *ret_n));
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return rw_os_fail(errno, "read", NULL);
        if (done == 0)
            break;
        *ret_n += (size_t)done;
    }
    return RW_OK;
}

int rw_os_append_cut(struct rw_os_append *f, uint64_t size)
{
    return ftruncate(f->fd, (off_t)size) == 0 ? RW_OK : rw_os_fail(errno, "truncate", NULL);
}

int rw_os_append_sync(struct rw_os_append *f)
{
    if (fdatasync(f->fd) == 0 || errno == EINVAL) /* a terminal or a pipe has nothing to sync */
        return RW_OK;
    return rw_os_fail(errno, "sync", NULL);
}

bool rw_os_append_is_at(const struct rw_os_append *f, const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && (uint64_t)st.st_dev == f->device &&
           (uint64_t)st.st_ino == f->inode;
}

/* Asked again and again instead of waited for: a process that was stopped while it had the lock must not stop us too. */
int rw_os_append_lock(struct rw_os_append *f, int wait_ms)
{
    long step = LOCK_STEP_MIN_US;
    for (long waited = 0;; waited += step) {
        if (flock(f->fd, LOCK_EX | LOCK_NB) == 0)
            return RW_OK;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return rw_os_fail(errno, "lock", NULL);
        if (waited >= (long)wait_ms * 1000)
            return RW_E_TIMEOUT;
        nanosleep(&(struct timespec){.tv_nsec = step * 1000}, NULL);
        step = step * 2 < LOCK_STEP_MAX_US ? step * 2 : LOCK_STEP_MAX_US;
    }
}

void rw_os_append_unlock(struct rw_os_append *f)
{
    if (f->fd >= 0)
        (void)flock(f->fd, LOCK_UN);
}

int rw_os_rename_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return RW_OK;
    if (errno != EINVAL && errno != ENOSYS)
        return rw_os_fail(errno, "rename", from);
    /* The file system can not refuse by itself (NFS). */
    if (access(to, F_OK) == 0)
        return RW_E_EXISTS;
    return rename(from, to) == 0 ? RW_OK : rw_os_fail(errno, "rename", from);
}

/* ---- listing ---- */

static int by_name(const void *a, const void *b)
{
    const struct rw_os_listed *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int add(struct rw_os_listing *l, DIR *d, const char *name)
{
    struct stat st;
    if (fstatat(dirfd(d), name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
        return RW_OK; /* gone meanwhile, or not ours */
    struct rw_os_listed *files = rw_array_grow(l->files, l->n, &l->cap, sizeof(*files));
    char *copy = rw_strdup(name);
    if (files)
        l->files = files;
    if (!files || !copy) {
        rw_free(copy);
        return RW_E_NOMEM;
    }
    l->files[l->n++] = (struct rw_os_listed){.name = copy,
                                             .size = (uint64_t)st.st_size,
                                             .device = (uint64_t)st.st_dev,
                                             .inode = (uint64_t)st.st_ino};
    return RW_OK;
}

int rw_os_list(const char *dir, const char *prefix, struct rw_os_listing *ret_listing)
{
    struct rw_os_listing l = {0};
    size_t n = strlen(prefix);
    DIR *d = opendir(dir);
    if (!d)
        return rw_os_fail(errno, "open", dir);
    int rc = RW_OK;
    for (const struct dirent *e; !rc && (e = readdir(d));)
        if (strncmp(e->d_name, prefix, n) == 0)
            rc = add(&l, d, e->d_name);
    closedir(d);
    if (rc) {
        rw_os_listing_free(&l);
        return rc;
    }
    if (l.n)
        qsort(l.files, l.n, sizeof(*l.files), by_name);
    *ret_listing = l;
    return RW_OK;
}

void rw_os_listing_free(struct rw_os_listing *l)
{
    for (size_t i = 0; i < l->n; i++)
        rw_free(l->files[i].name);
    rw_free(l->files);
    *l = (struct rw_os_listing){0};
}

int rw_os_remove(const char *path)
{
    return unlink(path) == 0 || errno == ENOENT ? RW_OK : rw_os_fail(errno, "remove", path);
}

void rw_os_append_date_as(struct rw_os_append *f, const struct rw_os_append *other)
{
    struct stat st;
    if (fstat(other->fd, &st) == 0)
        (void)futimens(f->fd, (const struct timespec[]){st.st_atim, st.st_mtim});
}
