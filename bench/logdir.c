/* Directories and files of the benchmarks: made before, removed after, never inside a measurement. */
#include "logdir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void log_path(const struct bench *b, char *path, size_t n)
{
    if (snprintf(path, n, "%s/bench-log-%ld", b->dir, (long)getpid()) >= (int)n)
        bench_die("path too long");
}

static void file_path(const struct bench *b, char *path, size_t n)
{
    if (snprintf(path, n, "%s/bench-file-%ld", b->dir, (long)getpid()) >= (int)n)
        bench_die("path too long");
}

void bench_dir_remove(const char *path)
{
    DIR *d = opendir(path);
    if (!d)
        return;
    for (const struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
            unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    rmdir(path);
}

void bench_dir_new(const struct bench *b, char *path, size_t n)
{
    if (snprintf(path, n, "%s/bench-dir-%ld", b->dir, (long)getpid()) >= (int)n)
        bench_die("path too long");
    bench_dir_remove(path);
    if (mkdir(path, 0755))
        bench_die(path);
}

struct rollway_log *bench_log_open(const struct bench *b, const struct rollway_log_options *options)
{
    char path[512];
    struct rollway_log *log;
    log_path(b, path, sizeof(path));
    bench_dir_remove(path);
    int code = rollway_log_open(path, options, &log);
    if (code) {
        fprintf(stderr, "%s: %s\n", path, rollway_strerror(code));
        bench_die("rollway_log_open");
    }
    return log;
}

struct rollway_log *bench_log_reopen(const struct bench *b)
{
    char path[512];
    struct rollway_log *log;
    log_path(b, path, sizeof(path));
    if (rollway_log_open(path, NULL, &log))
        bench_die("rollway_log_open");
    return log;
}

void bench_log_close(const struct bench *b, struct rollway_log *log)
{
    char path[512];
    if (rollway_log_close(log))
        bench_die("rollway_log_close");
    log_path(b, path, sizeof(path));
    bench_dir_remove(path);
}

int bench_file_open(const struct bench *b)
{
    char path[512];
    file_path(b, path, sizeof(path));
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        bench_die(path);
    return fd;
}

void bench_file_close(const struct bench *b, int fd)
{
    char path[512];
    file_path(b, path, sizeof(path));
    close(fd);
    unlink(path);
}

static bool ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && !strcmp(s + n - m, suffix);
}

uint64_t bench_log_bytes(const struct bench *b, const char *suffix)
{
    char path[512];
    uint64_t sum = 0;
    struct stat st;
    log_path(b, path, sizeof(path));
    DIR *d = opendir(path);
    if (!d)
        bench_die(path);
    for (const struct dirent *e; (e = readdir(d));)
        if (ends_with(e->d_name, suffix) && !fstatat(dirfd(d), e->d_name, &st, 0))
            sum += (uint64_t)st.st_size;
    closedir(d);
    return sum;
}

int bench_log_file(const struct bench *b, const char *suffix)
{
    char path[512];
    int fd = -1;
    log_path(b, path, sizeof(path));
    DIR *d = opendir(path);
    if (!d)
        bench_die(path);
    for (const struct dirent *e; fd < 0 && (e = readdir(d));)
        if (ends_with(e->d_name, suffix))
            fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC);
    closedir(d);
    if (fd < 0)
        bench_die(suffix);
    return fd;
}
