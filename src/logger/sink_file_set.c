/* Settings of the file appender. */
#include "logger/sink_file.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/units.h"
#include "logger/sink_set.h"
#include "os/task.h"

/* %p is the process's id, %% a percent sign. */
static int set_path(struct rw_lg_file *f, struct rw_str v, struct rw_err *err)
{
    size_t n = 0;
    for (int32_t i = 0; i < v.n; i++) {
        char pid[16];
        size_t more = 1;
        pid[0] = v.p[i];
        if (v.p[i] == '%') {
            char what = i + 1 < v.n ? v.p[++i] : 0;
            if (what == 'p')
                more = (size_t)snprintf(pid, sizeof(pid), "%u", rw_os_process_id());
            else if (what != '%')
                return rw_err_set(err, RW_E_INVAL,
                                  "path: only %%p (the process's id) and %%%% are known");
        }
        /* Names of rotated files are longer. */
        if (n + more + RW_LG_STAMP + 16 > sizeof(f->path))
            return rw_err_set(err, RW_E_INVAL, "path: too long");
        memcpy(f->path + n, pid, more);
        n += more;
    }
    f->path[n] = 0;
    return n ? RW_OK : rw_err_set(err, RW_E_INVAL, "path: empty");
}

static int set_mode(struct rw_lg_file *f, struct rw_str v, struct rw_err *err)
{
    unsigned mode = 0;
    for (int32_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '7' || mode > 0777)
            return rw_err_set(err, RW_E_INVAL, "mode: octal digits are expected, as in 0640");
        mode = mode * 8 + (unsigned)(v.p[i] - '0');
    }
    if (mode > 0777 || (mode & 0200) == 0)
        return rw_err_set(err, RW_E_INVAL,
                          "mode: between 0200 and 0777, and the owner must be able to write");
    f->keep.mode = mode;
    return RW_OK;
}

static int set_sync(struct rw_lg_file *f, struct rw_str v, struct rw_err *err)
{
    f->sync_ms = 1000;
    if (rw_str_is(v, "never"))
        f->sync = RW_LG_SYNC_NEVER;
    else if (rw_str_is(v, "always"))
        f->sync = RW_LG_SYNC_ALWAYS;
    else if (rw_str_is(v, "interval"))
        f->sync = RW_LG_SYNC_INTERVAL;
    else if (rw_units_parse_ms(v, &f->sync_ms) && f->sync_ms > 0)
        f->sync = RW_LG_SYNC_INTERVAL;
    else
        return rw_err_set(err, RW_E_INVAL,
                          "sync: never, always, interval (1s) or how often, as in 500ms");
    return RW_OK;
}

static int set_compress(struct rw_lg_file *f, struct rw_str v, struct rw_err *err)
{
    if (rw_str_is(v, "none"))
        f->keep.compress = RW_LG_COMPRESS_NONE;
    else if (rw_str_is(v, "gzip"))
        f->keep.compress = RW_LG_COMPRESS_GZIP;
    else if (rw_str_is(v, "zstd"))
        f->keep.compress = RW_LG_COMPRESS_ZSTD;
    else
        return rw_err_set(err, RW_E_INVAL, "rotate.compress: none, gzip or zstd");
    return RW_OK;
}

int rw_lg_file_set(struct rw_lg_sink *s, struct rw_str key, struct rw_str v, struct rw_err *err)
{
    struct rw_lg_file *f = (struct rw_lg_file *)s;
    if (rw_str_is(key, "path"))
        return set_path(f, v, err);
    if (rw_str_is(key, "mode"))
        return set_mode(f, v, err);
    if (rw_str_is(key, "sync"))
        return set_sync(f, v, err);
    if (rw_str_is(key, "share"))
        return rw_lg_set_bool(key, v, &f->share, err);
    if (rw_str_is(key, "rotate.compress"))
        return set_compress(f, v, err);
    if (rw_str_is(key, "rotate.size"))
        return rw_lg_set_bytes(key, v, &f->size_max, err);
    if (rw_str_is(key, "rotate.total"))
        return rw_lg_set_bytes(key, v, &f->keep.total_bytes, err);
    if (rw_str_is(key, "rotate.interval"))
        return rw_lg_set_ms(key, v, &f->interval_ms, err);
    if (rw_str_is(key, "rotate.age"))
        return rw_lg_set_ms(key, v, &f->keep.age_ms, err);
    if (rw_str_is(key, "rotate.count"))
        return rw_lg_set_count(key, v, &f->keep.count, err);
    return RW_E_NOT_FOUND;
}
