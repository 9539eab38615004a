/*
 * A whole file through gzip or zstd. Speed does not matter here (an idle thread does it), memory does: small windows, so that a
 * program that only logs does not grow by what its log is compressed with.
 */
#include <zlib.h>
#include <zstd.h>
#include "base/mem.h"
#include "logger/rotate.h"
#include "os/append_file.h"

enum { PIECE = 64 * 1024, GZIP_LEVEL = 6, ZSTD_LEVEL = 3, GZIP_WINDOW = 15 + 16 };

struct job {
    struct rw_os_append from, to;
    const _Atomic bool *stop;
    uint64_t at;
    char *in, *out;
};

/* The next piece; *ret_n 0 at the end. */
static int next(struct job *j, size_t *ret_n)
{
    if (*j->stop)
        return RW_E_CANCELED;
    int rc = rw_os_append_read(&j->from, j->at, j->in, PIECE, ret_n);
    if (!rc)
        j->at += *ret_n;
    return rc;
}

static int put(struct job *j, size_t n)
{
    size_t done;
    return n ? rw_os_append_write(&j->to, j->out, n, &done) : RW_OK;
}

static int gzip_piece(struct job *j, z_stream *z, size_t n)
{
    z->next_in = (Bytef *)j->in;
    z->avail_in = (uInt)n;
    int rc = RW_OK, end = n ? Z_NO_FLUSH : Z_FINISH, r = Z_OK;
    do {
        z->next_out = (Bytef *)j->out;
        z->avail_out = PIECE;
        r = deflate(z, end);
        rc = put(j, PIECE - z->avail_out);
    } while (!rc && (z->avail_out == 0 || (end == Z_FINISH && r == Z_OK)));
    return rc;
}

static int gzip(struct job *j)
{
    z_stream z = {0};
    if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return RW_E_NOMEM;
    size_t n = 0;
    int rc;
    do {
        rc = next(j, &n);
        if (!rc)
            rc = gzip_piece(j, &z, n);
    } while (!rc && n);
    deflateEnd(&z);
    return rc;
}

static int zstd_piece(struct job *j, ZSTD_CCtx *c, size_t n)
{
    ZSTD_inBuffer in = {j->in, n, 0};
    for (;;) {
        ZSTD_outBuffer out = {j->out, PIECE, 0};
        size_t left = ZSTD_compressStream2(c, &out, &in, n ? ZSTD_e_continue : ZSTD_e_end);
        if (ZSTD_isError(left))
            return RW_E_NOMEM;
        int rc = put(j, out.pos);
        if (rc || (n ? in.pos == in.size : left == 0))
            return rc;
    }
}

static int zstd(struct job *j)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    if (!c)
        return RW_E_NOMEM;
    (void)ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    (void)ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    size_t n = 0;
    int rc;
    do {
        rc = next(j, &n);
        if (!rc)
            rc = zstd_piece(j, c, n);
    } while (!rc && n);
    ZSTD_freeCCtx(c);
    return rc;
}

int rw_lg_compress_file(const char *from, const char *to, unsigned mode, enum rw_lg_compress how,
                        const _Atomic bool *stop)
{
    struct job j = {.from = {.fd = -1}, .to = {.fd = -1}, .stop = stop};
    j.in = rw_alloc(2 * (size_t)PIECE);
    if (!j.in)
        return RW_E_NOMEM;
    j.out = j.in + PIECE;
    int rc = rw_os_append_open(from, 0, &j.from);
    if (!rc)
        rc = rw_os_append_open(to, mode, &j.to);
    if (!rc)
        rc = rw_os_append_cut(&j.to, 0); /* left behind by a process that was killed */
    if (!rc)
        rc = how == RW_LG_COMPRESS_GZIP ? gzip(&j) : zstd(&j);
    if (!rc)
        rc = rw_os_append_sync(&j.to);
    if (!rc)
        rw_os_append_date_as(&j.to, &j.from);
    rw_os_append_close(&j.from);
    rw_os_append_close(&j.to);
    rw_free(j.in);
    return rc;
}
