/*
 * The files of a backup. What has a name is whole and on stable storage: it was written under another
 * name, synced and renamed; the caller syncs the directory before it tells of the name elsewhere.
 */
#include "cli/backup_files.h"

#include <string.h>
#include "base/crc32c.h"
#include "base/mem.h"
#include "log/checkpoint.h"
#include "log/path.h"
#include "os/os.h"

int rw_backup_copy_init(struct rw_backup_copy *c, struct rw_cli *cli)
{
    *c = (struct rw_backup_copy){.cli = cli};
    c->chunk = rw_alloc(RW_BACKUP_CHUNK);
    c->other = rw_alloc(RW_BACKUP_CHUNK);
    return c->chunk && c->other ? RW_OK : RW_E_NOMEM;
}

void rw_backup_copy_deinit(struct rw_backup_copy *c)
{
    rw_free(c->chunk);
    rw_free(c->other);
}

static int open_in(const char *dir, const char *name, struct rw_file **ret_file)
{
    struct rw_path path;
    int rc = rw_path_join(&path, dir, name, NULL);
    return rc ? rc : rw_vfs_open(rw_os_env()->vfs, path.s, RW_OPEN_READ, ret_file);
}

static int read_all(struct rw_file *f, uint64_t at, uint8_t *p, size_t n)
{
    size_t got = 0;
    int rc = rw_file_read_at(f, at, p, n, &got);
    return !rc && got != n ? RW_E_SHORT : rc;
}

/* Reads `size` bytes of `from`, writes them to `to` (NULL: does not), and gives their checksum. */
static int pass(struct rw_backup_copy *c, struct rw_file *from, struct rw_file *to, uint64_t size,
                uint32_t *ret_crc)
{
    uint32_t crc = 0;
    for (uint64_t at = 0; at < size;) {
        size_t n = size - at < RW_BACKUP_CHUNK ? (size_t)(size - at) : RW_BACKUP_CHUNK;
        int rc = rw_cli_interrupted() ? RW_E_CANCELED : read_all(from, at, c->chunk, n);
        if (!rc && to) {
            rc = rw_file_write_at(to, at, c->chunk, n);
            c->target_failed |= rc != RW_OK;
        }
        if (rc)
            return rc;
        crc = rw_crc32c(crc, c->chunk, n);
        at += n;
        c->done += n;
        rw_progress_update(&c->progress, (int64_t)c->done, (int64_t)c->done, rw_progress_now());
    }
    *ret_crc = crc;
    return RW_OK;
}

/* Do both files begin with the same `size` bytes, and does `b` end there? */
static bool same_bytes(struct rw_backup_copy *c, struct rw_file *a, struct rw_file *b,
                       uint64_t size)
{
    uint64_t there = 0;
    if (b->ops->size(b, &there) || there != size)
        return false;
    for (uint64_t at = 0; at < size && !rw_cli_interrupted();) {
        size_t n = size - at < RW_BACKUP_CHUNK ? (size_t)(size - at) : RW_BACKUP_CHUNK;
        if (read_all(a, at, c->chunk, n) || read_all(b, at, c->other, n) ||
            memcmp(c->chunk, c->other, n) != 0)
            return false;
        at += n;
    }
    return !rw_cli_interrupted();
}

/* A whole copy of the first file->size bytes as dir/<name>; file->crc is what they must have. */
static int copy_to(struct rw_backup_copy *c, struct rw_file *from, const char *dir,
                   const char *name, const struct rw_backup_file *file)
{
    struct rw_vfs *vfs = rw_os_env()->vfs;
    struct rw_path tmp, path;
    struct rw_file *out = NULL;
    uint32_t crc = 0;
    int rc = rw_path_join(&tmp, dir, name, RW_SUFFIX_TMP);
    if (!rc)
        rc = rw_path_join(&path, dir, name, NULL);
    if (!rc)
        rc = rw_vfs_open(vfs, tmp.s, RW_OPEN_WRITE | RW_OPEN_CREATE | RW_OPEN_TRUNC, &out);
    c->target_failed |= rc != RW_OK;
    if (rc)
        return rc;
    rc = pass(c, from, out, file->size, &crc);
    bool read = rc == RW_OK;
    if (!rc && crc != file->crc) {
        rc = RW_E_CORRUPT;
        read = false;
    }
    if (!rc)
        rc = out->ops->sync_data(out);
    rw_file_close(out);
    if (!rc)
        rc = vfs->ops->rename(vfs, tmp.s, path.s);
    c->target_failed |= read && rc;
    if (rc) /* best effort: the next backup removes what is left */
        (void)vfs->ops->unlink(vfs, tmp.s);
    return rc;
}

static int store_open(struct rw_backup_copy *c, struct rw_file *in, const char *to_dir,
                      struct rw_backup_file *file, bool *ret_copied)
{
    char name[80];
    struct rw_file *there = NULL;
    int rc = file->size == UINT64_MAX ? in->ops->size(in, &file->size) : RW_OK;
    if (!rc)
        rc = pass(c, in, NULL, file->size, &file->crc);
    if (rc)
        return rc;
    rw_backup_stored_name(file, name);
    if (open_in(to_dir, name, &there) == RW_OK) {
        bool same = same_bytes(c, in, there, file->size);
        rw_file_close(there);
        *ret_copied = !same;
        if (same)
            return RW_OK;
    }
    *ret_copied = true;
    rc = copy_to(c, in, to_dir, name, file);
    return rc == RW_E_CORRUPT ? RW_E_AGAIN : rc;
}

int rw_backup_store(struct rw_backup_copy *c, const char *from_dir, const char *to_dir,
                    struct rw_backup_file *file, bool *ret_copied)
{
    struct rw_file *in;
    c->target_failed = false;
    int rc = open_in(from_dir, file->name, &in);
    if (rc)
        return rc;
    rc = store_open(c, in, to_dir, file, ret_copied);
    rw_file_close(in);
    return rc;
}

static int open_stored(const char *dir, const struct rw_backup_file *file, struct rw_file **ret)
{
    char name[80];
    uint64_t size = 0;
    struct rw_file *f;
    rw_backup_stored_name(file, name);
    int rc = open_in(dir, name, &f);
    if (rc)
        return rc;
    rc = f->ops->size(f, &size);
    if (!rc && size != file->size)
        rc = RW_E_CORRUPT;
    if (rc)
        rw_file_close(f);
    else
        *ret = f;
    return rc;
}

int rw_backup_check_file(struct rw_backup_copy *c, const char *dir,
                         const struct rw_backup_file *file)
{
    struct rw_file *in;
    uint32_t crc = 0;
    int rc = open_stored(dir, file, &in);
    if (rc)
        return rc;
    rc = pass(c, in, NULL, file->size, &crc);
    rw_file_close(in);
    return !rc && crc != file->crc ? RW_E_CORRUPT : rc;
}

int rw_backup_fetch(struct rw_backup_copy *c, const char *dir, const char *to_dir,
                    const struct rw_backup_file *file)
{
    struct rw_file *in;
    c->target_failed = false;
    int rc = open_stored(dir, file, &in);
    if (rc)
        return rc;
    rc = copy_to(c, in, to_dir, file->name, file);
    rw_file_close(in);
    return rc;
}

/* ---- manifest ---- */

int rw_backup_load(const char *dir, struct rw_backup *ret_backup)
{
    struct rw_path path;
    struct rw_buf text;
    *ret_backup = (struct rw_backup){0};
    rw_buf_init(&text);
    int rc = rw_path_join(&path, dir, RW_BACKUP_MANIFEST, NULL);
    if (!rc)
        rc = rw_file_load(rw_os_env(), path.s, &text);
    if (!rc)
        rc = rw_backup_parse((const char *)text.p, text.n, ret_backup);
    rw_buf_deinit(&text);
    if (rc)
        rw_backup_deinit(ret_backup);
    return rc;
}

int rw_backup_save(const char *dir, const struct rw_backup *b)
{
    struct rw_path path;
    struct rw_buf text;
    rw_buf_init(&text);
    rw_backup_print(&text, b);
    int rc = rw_path_join(&path, dir, RW_BACKUP_MANIFEST, NULL);
    if (!rc)
        rc = text.failed ? RW_E_NOMEM : rw_file_replace(rw_os_env(), path.s, text.p, text.n, true);
    rw_buf_deinit(&text);
    return rc;
}

/* ---- directories ---- */

int rw_backup_make_dir(const char *dir)
{
    struct rw_vfs *vfs = rw_os_env()->vfs;
    struct rw_path parent;
    struct rw_stat st;
    int rc = vfs->ops->mkdir(vfs, dir);
    if (rc == RW_E_EXISTS) {
        rc = vfs->ops->stat(vfs, dir, &st);
        return rc || st.is_dir ? rc : RW_E_EXISTS;
    }
    if (!rc)
        rc = rw_path_parent(&parent, dir);
    return rc ? rc : vfs->ops->sync_dir(vfs, parent.s);
}

static int remove_one(void *arg, const char *name)
{
    struct rw_path path;
    int rc = rw_path_join(&path, arg, name, NULL);
    return rc ? rc : rw_file_remove(rw_os_env(), path.s);
}

int rw_backup_remove_dir(const char *dir)
{
    struct rw_vfs *vfs = rw_os_env()->vfs;
    struct rw_path copy;
    int rc = rw_path_join(&copy, dir, ".", NULL);
    if (!rc)
        rc = vfs->ops->list(vfs, dir, remove_one, copy.s);
    if (!rc)
        rc = vfs->ops->rmdir(vfs, dir);
    return rc == RW_E_NOT_FOUND ? RW_OK : rc;
}
