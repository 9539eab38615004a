/*
 * Rotation and what comes after it. A rotated file is compressed into "<name>.gz.tmp", which is synced, renamed to "<name>.gz", and only
 * then is the original removed: whenever the process is killed, the lines are in at least one complete file, and the next
 * round finishes what is half done. Whoever works on a rotated file holds its lock, since several processes may rotate one log.
 */
#include "logger/rotate.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include "base/datetime.h"
#include "os/append_file.h"
#include "os/task.h"
#include "os/ticks.h"

static const char *const suffixes[] = {"", ".gz", ".zst"};

static void split(const char *path, char *ret_dir, const char **ret_base)
{
    const char *slash = strrchr(path, '/');
    *ret_base = slash ? slash + 1 : path;
    if (!slash)
        memcpy(ret_dir, ".", 2);
    else
        snprintf(ret_dir, RW_LG_PATH, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* "20261123T014405.123Z" */
static void stamp(char *ret, int64_t ms)
{
    char iso[RW_TIME_SIZE];
    size_t n = 0;
    for (const char *p = rw_time_format(iso, ms); *p && n < RW_LG_STAMP; p++)
        if (*p != '-' && *p != ':')
            ret[n++] = *p;
    ret[n] = 0;
}

static bool digits(const char *p, int n)
{
    for (int i = 0; i < n; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    return true;
}

/* When it was rotated; false: the name is not one of ours, or more follows than a suffix. */
static bool stamp_of(const char *name, const char *base, int64_t *ret_ms, const char **ret_suffix)
{
    const char *p = name + strlen(base) + 1;
    if (strlen(name) < strlen(base) + 1 + RW_LG_STAMP || !digits(p, 8) || p[8] != 'T' ||
        !digits(p + 9, 6) || p[15] != '.' || !digits(p + 16, 3) || p[19] != 'Z')
        return false;
    char iso[64];
    int n = snprintf(iso, sizeof(iso), "%.4s-%.2s-%.2sT%.2s:%.2s:%.6sZ", p, p + 4, p + 6, p + 9,
                     p + 11, p + 13);
    *ret_suffix = p + RW_LG_STAMP;
    return rw_time_parse((struct rw_str){iso, n}, ret_ms);
}

static int list(const char *path, char *ret_dir, const char **ret_base,
                struct rw_os_listing *ret_listing)
{
    char prefix[RW_LG_PATH + 1]; /* and the dot */
    split(path, ret_dir, ret_base);
    snprintf(prefix, sizeof(prefix), "%s.", *ret_base);
    return rw_os_list(ret_dir, prefix, ret_listing);
}

int rw_lg_rotate(const char *path, int64_t now_ms)
{
    char dir[RW_LG_PATH], to[RW_LG_PATH + RW_LG_STAMP + 2], text[RW_LG_STAMP + 1];
    const char *base, *suffix;
    struct rw_os_listing l;
    int rc = list(path, dir, &base, &l);
    if (rc)
        return rc;
    /* A clock that was set back must not make the newest file look like the oldest. */
    for (size_t i = 0; i < l.n; i++) {
        int64_t ms;
        if (stamp_of(l.files[i].name, base, &ms, &suffix) && ms >= now_ms)
            now_ms = ms + 1;
    }
    rw_os_listing_free(&l);
    do {
        stamp(text, now_ms++);
        snprintf(to, sizeof(to), "%s.%s", path, text);
        rc = rw_os_rename_new(path, to);
    } while (rc == RW_E_EXISTS);
    return rc;
}

bool rw_lg_rotated_find(const char *path, uint64_t device, uint64_t inode, char *ret_path)
{
    char dir[RW_LG_PATH];
    const char *base;
    struct rw_os_listing l;
    if (list(path, dir, &base, &l))
        return false;
    bool found = false;
    for (size_t i = 0; i < l.n && !found; i++) {
        found = l.files[i].device == device && l.files[i].inode == inode;
        if (found && snprintf(ret_path, RW_LG_PATH, "%s/%s", dir, l.files[i].name) >= RW_LG_PATH)
            found = false;
    }
    rw_os_listing_free(&l);
    return found;
}

/* ---- tidying ---- */

static bool there(const struct rw_os_listing *l, const char *name, const char *suffix)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < l->n; i++)
        if (strncmp(l->files[i].name, name, n) == 0 && strcmp(l->files[i].name + n, suffix) == 0)
            return true;
    return false;
}

/* One file, under its lock; another process may be at it, or done with it. */
static int compress_one(struct rw_lg_tidy *t, const char *dir, const char *name, bool done)
{
    char from[2 * RW_LG_PATH], to[2 * RW_LG_PATH + 8], temp[2 * RW_LG_PATH + 16];
    snprintf(from, sizeof(from), "%s/%s", dir, name);
    snprintf(to, sizeof(to), "%s%s", from, suffixes[t->keep.compress]);
    snprintf(temp, sizeof(temp), "%s.tmp", to);
    struct rw_os_append f;
    int rc = rw_os_append_open(from, 0, &f);
    if (rc)
        return rc;
    if (rw_os_append_lock(&f, 0) == RW_OK && rw_os_append_is_at(&f, from)) {
        if (!done) {
            rc = rw_lg_compress_file(from, temp, t->keep.mode, t->keep.compress, &t->stop);
            if (!rc)
                rc = rw_os_rename_new(temp, to);
        }
        if (!rc || rc == RW_E_EXISTS)
            rc = rw_os_remove(from);
        else
            (void)rw_os_remove(temp);
    }
    rw_os_append_close(&f);
    return rc;
}

/* Temporary files of a process that was killed. The original is there as long as the compressed file is not, so nothing is lost. */
static void remove_temp(const char *dir, const char *name, const struct rw_os_listing *l)
{
    char path[2 * RW_LG_PATH];
    size_t n = strlen(name);
    char original[RW_LG_PATH];
    snprintf(original, sizeof(original), "%s", name);
    char *dot = n > 4 && n < sizeof(original) ? original + n - 4 : NULL;
    if (dot)
        *dot = 0;
    dot = dot ? strrchr(original, '.') : NULL;
    if (dot)
        *dot = 0;
    if (dot && there(l, original, ""))
        return; /* somebody is at it, or it is written anew from its start */
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    (void)rw_os_remove(path);
}

static bool is_temp(const char *suffix)
{
    return strcmp(suffix, ".gz.tmp") == 0 || strcmp(suffix, ".zst.tmp") == 0;
}

static bool is_rotated(const char *suffix)
{
    for (int i = 0; i < 3; i++)
        if (strcmp(suffix, suffixes[i]) == 0)
            return true;
    return false;
}

/* From the youngest to the oldest: the first that is too much and all behind it go. */
static int retain(struct rw_lg_tidy *t, int64_t now_ms)
{
    char dir[RW_LG_PATH], path[2 * RW_LG_PATH];
    const char *base, *suffix;
    struct rw_os_listing l;
    int rc = list(t->path, dir, &base, &l);
    if (rc)
        return rc;
    int64_t count = 0, total = 0, ms;
    const struct rw_lg_keep *k = &t->keep;
    for (size_t i = l.n; i-- > 0;) {
        const struct rw_os_listed *f = &l.files[i];
        if (!stamp_of(f->name, base, &ms, &suffix) || !is_rotated(suffix))
            continue;
        count++;
        total += (int64_t)f->size;
        if ((k->count && count > k->count) || (k->total_bytes && total > k->total_bytes) ||
            (k->age_ms && now_ms - ms > k->age_ms)) {
            snprintf(path, sizeof(path), "%s/%s", dir, f->name);
            int r = rw_os_remove(path);
            rc = rc ? rc : r;
        }
    }
    rw_os_listing_free(&l);
    return rc;
}

int rw_lg_tidy_once(struct rw_lg_tidy *t, int64_t now_ms)
{
    char dir[RW_LG_PATH];
    const char *base, *suffix;
    struct rw_os_listing l;
    int64_t ms;
    /* First what goes anyway: the space may be needed, and it need not be compressed. */
    int rc = retain(t, now_ms);
    if (rc || (rc = list(t->path, dir, &base, &l)) != RW_OK)
        return rc;
    for (size_t i = 0; i < l.n && rc != RW_E_CANCELED; i++) {
        const char *name = l.files[i].name;
        if (!stamp_of(name, base, &ms, &suffix))
            continue;
        if (is_temp(suffix))
            remove_temp(dir, name, &l);
        else if (!*suffix && t->keep.compress) {
            int r = compress_one(t, dir, name, there(&l, name, suffixes[t->keep.compress]));
            rc = r ? r : rc;
        }
    }
    rw_os_listing_free(&l);
    return rc ? rc : retain(t, now_ms);
}

static void *run(void *arg)
{
    struct rw_lg_tidy *t = arg;
    rw_os_task_name("rw-log-tidy");
    rw_os_task_idle();
    do {
        while (atomic_exchange(&t->again, false) && !t->stop)
            if (rw_lg_tidy_once(t, rw_os_wall_ns() / 1000000))
                break; /* what fails is tried again at the next rotation, or in a minute */
        atomic_store(&t->running, false);
        /* A start between the two saw it run. */
    } while (atomic_load(&t->again) && !t->stop && !atomic_exchange(&t->running, true));
    return NULL;
}

void rw_lg_tidy_init(struct rw_lg_tidy *t, const char *path, const struct rw_lg_keep *keep)
{
    memset(t, 0, sizeof(*t));
    snprintf(t->path, sizeof(t->path), "%s", path);
    t->keep = *keep;
}

void rw_lg_tidy_start(struct rw_lg_tidy *t)
{
    atomic_store(&t->again, true);
    if (atomic_exchange(&t->running, true))
        return;
    if (t->started)
        pthread_join(t->thread, NULL);
    t->started = pthread_create(&t->thread, NULL, run, t) == 0;
    if (!t->started)
        atomic_store(&t->running, false); /* no thread: at the next rotation */
}

void rw_lg_tidy_end(struct rw_lg_tidy *t, bool stop)
{
    atomic_store(&t->stop, stop);
    if (t->started)
        pthread_join(t->thread, NULL);
    t->started = false;
    atomic_store(&t->stop, false);
}
