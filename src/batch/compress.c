/*
 * The five codecs behind two functions.
 *
 * Decompression is written for hostile input: the output grows with what really comes out, in
 * steps, up to the caller's limit; sizes that the input announces are at most a hint for the first
 * step. After a failure `out` is as long as it was before.
 *
 * Invariant: a context in struct rw_codecs is reset before every use, so a failed call leaves
 * nothing behind. Contexts that grew large are given back. Not here: snappy (snappy.c), which is
 * our own.
 */
#include "batch/batch.h"

#include <string.h>
#include <libdeflate.h>
#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>
#include "base/mem.h"
#include "batch/snappy.h"

/* A zstd frame may ask for a window of up to 2^27 bytes, the format's recommended upper bound and
 * what level 22 uses; a context that has grown beyond this is not kept. */
#define ZSTD_WINDOW_LOG_MAX 27
#define ZSTD_CONTEXT_KEEP   (8u << 20)

/* First step of the output, and the largest announced size that is believed at once. */
#define STEP_MIN  (64u << 10)
#define GUESS_MAX (4u << 20)

#define GZIP_LEVEL_DEFAULT 6
#define ZSTD_LEVEL_DEFAULT 3

struct rw_codecs {
    struct libdeflate_compressor *deflate;
    int deflate_level;
    struct libdeflate_decompressor *inflate_whole;
    z_stream inflate;
    bool inflate_ready;
    LZ4F_cctx *lz4_out;
    LZ4F_dctx *lz4_in;
    ZSTD_CCtx *zstd_out;
    ZSTD_DCtx *zstd_in;
};

/* ---- bounded output ---- */

struct output {
    struct rw_buf *buf;
    size_t start; /* buf->n at the beginning */
    size_t max;   /* bytes allowed */
};

static size_t produced(const struct output *o)
{
    return o->buf->n - o->start;
}

/* Room for at least one more byte. One byte beyond `max` is handed out, so that a stream that ends
 * exactly at the limit can be told from one that goes on. */
static int make_room(struct output *o, size_t hint, uint8_t **ret_p, size_t *ret_n)
{
    size_t have = produced(o);
    if (have > o->max)
        return RW_E_TOO_BIG;
    size_t left = o->max - have < SIZE_MAX ? o->max - have + 1 : SIZE_MAX;
    size_t want = have > STEP_MIN ? have : STEP_MIN;
    if (hint > want)
        want = hint;
    if (want > left)
        want = left;
    if (!rw_buf_reserve(o->buf, want))
        return RW_E_NOMEM;
    size_t room = o->buf->cap - o->buf->n - 1;
    *ret_p = o->buf->p + o->buf->n;
    *ret_n = room < left ? room : left;
    return RW_OK;
}

/* ---- gzip ---- */

static void *zlib_alloc(void *arg, unsigned count, unsigned size)
{
    (void)arg;
    return rw_alloc_array(count, size);
}

static void zlib_free(void *arg, void *p)
{
    (void)arg;
    rw_free(p);
}

static int gzip_compress(struct rw_codecs *c, int level, struct rw_slice in, struct rw_buf *out)
{
    if (level == RW_LEVEL_DEFAULT || level == -1)
        level = GZIP_LEVEL_DEFAULT;
    if (level < 0 || level > 9)
        return RW_E_INVAL;
    if (c->deflate && c->deflate_level != level) {
        libdeflate_free_compressor(c->deflate);
        c->deflate = NULL;
    }
    if (!c->deflate)
        c->deflate = libdeflate_alloc_compressor(level);
    if (!c->deflate)
        return RW_E_NOMEM;
    c->deflate_level = level;
    size_t bound = libdeflate_gzip_compress_bound(c->deflate, in.n);
    if (!rw_buf_reserve(out, bound))
        return RW_E_NOMEM;
    size_t n = libdeflate_gzip_compress(c->deflate, in.n ? in.p : (const uint8_t *)"", in.n,
                                        out->p + out->n, bound);
    if (n == 0)
        return RW_E_NOMEM;
    out->n += n;
    return RW_OK;
}

/* A single member whose trailer announces a believable size, which is nearly every batch:
 * libdeflate is twice as fast as zlib. False: not done, nothing changed, use the stream. */
static bool gunzip_whole(struct rw_codecs *c, struct rw_slice in, size_t max, struct rw_buf *out)
{
    /* A header with a checksum of its own (flag 2, no producer writes one) is left to zlib, which
     * checks it: whether a batch is accepted must not depend on the way it is read. */
    if (in.n < 18 || in.p[3] & 2)
        return false;
    const uint8_t *t = in.p + in.n - 4;
    size_t size = (size_t)t[0] | (size_t)t[1] << 8 | (size_t)t[2] << 16 | (size_t)t[3] << 24;
    /* Deflate can not do better than 1032:1. */
    if (size > max || size > GUESS_MAX || size / 1032 > in.n)
        return false;
    if (!c->inflate_whole)
        c->inflate_whole = libdeflate_alloc_decompressor();
    if (!c->inflate_whole || !rw_buf_reserve(out, size)) {
        out->failed = false;
        return false;
    }
    size_t used, got;
    if (libdeflate_gzip_decompress_ex(c->inflate_whole, in.p, in.n, out->p + out->n, size, &used,
                                      &got) != LIBDEFLATE_SUCCESS ||
        used != in.n)
        return false;
    out->n += got;
    return true;
}

static int gunzip_stream(struct rw_codecs *c, struct rw_slice in, struct output *o)
{
    z_stream *z = &c->inflate;
    if (!c->inflate_ready) {
        *z = (z_stream){.zalloc = zlib_alloc, .zfree = zlib_free};
        /* 15: any window; + 16: gzip only. */
        if (inflateInit2(z, 15 + 16) != Z_OK)
            return RW_E_NOMEM;
        c->inflate_ready = true;
    } else if (inflateReset(z) != Z_OK) {
        return RW_E_CORRUPT;
    }
    z->next_in = (z_const Bytef *)(uintptr_t)in.p;
    z->avail_in = (uInt)in.n;
    for (;;) {
        uint8_t *p;
        size_t n;
        int code = make_room(o, 0, &p, &n);
        if (code)
            return code;
        uInt given = n > UINT32_MAX ? UINT32_MAX : (uInt)n;
        z->next_out = p;
        z->avail_out = given;
        int rc = inflate(z, Z_NO_FLUSH);
        o->buf->n += given - z->avail_out;
        if (rc == Z_MEM_ERROR)
            return RW_E_NOMEM;
        if (rc != Z_OK && rc != Z_STREAM_END)
            return RW_E_CORRUPT; /* Z_BUF_ERROR: the input ended inside the stream */
        if (rc == Z_STREAM_END) {
            if (z->avail_in == 0)
                return produced(o) > o->max ? RW_E_TOO_BIG : RW_OK;
            if (inflateReset(z) != Z_OK) /* another member follows */
                return RW_E_CORRUPT;
        }
    }
}

static int gzip_decompress(struct rw_codecs *c, struct rw_slice in, struct output *o)
{
    if (in.n > UINT32_MAX)
        return RW_E_TOO_BIG;
    if (gunzip_whole(c, in, o->max, o->buf))
        return RW_OK;
    return gunzip_stream(c, in, o);
}

/* ---- lz4 frames ---- */

static int lz4_compress(struct rw_codecs *c, int level, struct rw_slice in, struct rw_buf *out)
{
    /* Blocks of 64 KiB, independent, no content checksum: what Java clients write, and independence
     * is what they insist on when reading. */
    LZ4F_preferences_t prefs = {
        .frameInfo = {.blockSizeID = LZ4F_max64KB, .blockMode = LZ4F_blockIndependent},
        .compressionLevel = level == RW_LEVEL_DEFAULT ? 0 : level,
        .autoFlush = 1,
    };
    if (level != RW_LEVEL_DEFAULT && (level < 1 || level > 17))
        return RW_E_INVAL;
    if (prefs.compressionLevel > LZ4F_compressionLevel_max())
        prefs.compressionLevel = LZ4F_compressionLevel_max();
    if (!c->lz4_out && LZ4F_isError(LZ4F_createCompressionContext(&c->lz4_out, LZ4F_VERSION)))
        return RW_E_NOMEM;
    size_t bound = LZ4F_HEADER_SIZE_MAX + LZ4F_compressBound(in.n, &prefs);
    if (!rw_buf_reserve(out, bound))
        return RW_E_NOMEM;
    uint8_t *p = out->p + out->n, *end = p + bound;
    size_t n = LZ4F_compressBegin(c->lz4_out, p, bound, &prefs);
    if (LZ4F_isError(n))
        return RW_E_NOMEM;
    p += n;
    if (in.n) {
        n = LZ4F_compressUpdate(c->lz4_out, p, (size_t)(end - p), in.p, in.n, NULL);
        if (LZ4F_isError(n))
            return RW_E_NOMEM;
        p += n;
    }
    n = LZ4F_compressEnd(c->lz4_out, p, (size_t)(end - p), NULL);
    if (LZ4F_isError(n))
        return RW_E_NOMEM;
    out->n = (size_t)(p + n - out->p);
    return RW_OK;
}

static int lz4_frames(struct rw_codecs *c, struct rw_slice in, struct output *o)
{
    size_t expects = 1;
    while (in.n > 0) {
        uint8_t *p;
        size_t room, used = in.n;
        int code = make_room(o, 0, &p, &room);
        if (code)
            return code;
        expects = LZ4F_decompress(c->lz4_in, p, &room, in.p, &used, NULL);
        if (LZ4F_isError(expects))
            return strcmp(LZ4F_getErrorName(expects), "ERROR_allocation_failed") ? RW_E_CORRUPT
                                                                                 : RW_E_NOMEM;
        in.p += used;
        in.n -= used;
        o->buf->n += room;
        if (used == 0 && room == 0)
            return RW_E_CORRUPT; /* no progress: never seen, but a loop here would be for ever */
    }
    /* The last call may have left decoded bytes inside for lack of room. */
    while (expects != 0) {
        uint8_t *p;
        size_t room, used = 0;
        int code = make_room(o, 0, &p, &room);
        if (code)
            return code;
        expects = LZ4F_decompress(c->lz4_in, p, &room, "", &used, NULL);
        if (LZ4F_isError(expects) || room == 0)
            return RW_E_CORRUPT; /* the input ended inside the frame */
        o->buf->n += room;
    }
    return produced(o) > o->max ? RW_E_TOO_BIG : RW_OK;
}

static int lz4_decompress(struct rw_codecs *c, struct rw_slice in, struct output *o)
{
    if (!c->lz4_in && LZ4F_isError(LZ4F_createDecompressionContext(&c->lz4_in, LZ4F_VERSION)))
        return RW_E_NOMEM;
    int code = lz4_frames(c, in, o);
    if (code) {
        /* liblz4 1.9.4 keeps the rest of a frame's announced size through its reset function, and
         * then refuses the next frame that announces none: only a new context is a clean one. */
        LZ4F_freeDecompressionContext(c->lz4_in);
        c->lz4_in = NULL;
    }
    return code;
}

/* ---- zstd ---- */

static int zstd_compress(struct rw_codecs *c, int level, struct rw_slice in, struct rw_buf *out)
{
    if (level == RW_LEVEL_DEFAULT)
        level = ZSTD_LEVEL_DEFAULT;
    if (level < ZSTD_minCLevel() || level > ZSTD_maxCLevel())
        return RW_E_INVAL;
    if (!c->zstd_out)
        c->zstd_out = ZSTD_createCCtx();
    size_t bound = ZSTD_compressBound(in.n);
    if (!c->zstd_out || !rw_buf_reserve(out, bound))
        return RW_E_NOMEM;
    size_t n = ZSTD_compressCCtx(c->zstd_out, out->p + out->n, bound, in.p, in.n, level);
    if (ZSTD_isError(n))
        return RW_E_NOMEM;
    out->n += n;
    return RW_OK;
}

static int zstd_decompress(struct rw_codecs *c, struct rw_slice in, struct output *o)
{
    if (!c->zstd_in) {
        c->zstd_in = ZSTD_createDCtx();
        if (!c->zstd_in)
            return RW_E_NOMEM;
        if (ZSTD_isError(
                ZSTD_DCtx_setParameter(c->zstd_in, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX)))
            return RW_E_UNSUPPORTED;
    }
    if (ZSTD_isError(ZSTD_DCtx_reset(c->zstd_in, ZSTD_reset_session_only)))
        return RW_E_CORRUPT;
    /* With room for the whole frame zstd decodes in one go and needs no window of its own. */
    unsigned long long announced = ZSTD_getFrameContentSize(in.p, in.n);
    size_t hint = announced <= GUESS_MAX ? (size_t)announced + 1 : 0;
    ZSTD_inBuffer zin = {in.p, in.n, 0};
    size_t rc = 1;
    do {
        uint8_t *p;
        size_t n;
        int code = make_room(o, hint, &p, &n);
        if (code)
            return code;
        hint = 0;
        ZSTD_outBuffer zout = {p, n, 0};
        size_t before = zin.pos;
        rc = ZSTD_decompressStream(c->zstd_in, &zout, &zin);
        if (ZSTD_isError(rc))
            return ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation ? RW_E_NOMEM
                                                                         : RW_E_CORRUPT;
        o->buf->n += zout.pos;
        if (rc != 0 && zout.pos == 0 && zin.pos == before)
            return RW_E_CORRUPT; /* wants more input, and there is none */
    } while (rc != 0 || zin.pos < zin.size);
    if (ZSTD_sizeof_DCtx(c->zstd_in) > ZSTD_CONTEXT_KEEP) {
        ZSTD_freeDCtx(c->zstd_in);
        c->zstd_in = NULL;
    }
    return produced(o) > o->max ? RW_E_TOO_BIG : RW_OK;
}

/* ---- the two functions ---- */

void rw_codecs_free(struct rw_codecs *c)
{
    if (!c)
        return;
    libdeflate_free_compressor(c->deflate);
    libdeflate_free_decompressor(c->inflate_whole);
    if (c->inflate_ready)
        inflateEnd(&c->inflate);
    LZ4F_freeCompressionContext(c->lz4_out);
    LZ4F_freeDecompressionContext(c->lz4_in);
    ZSTD_freeCCtx(c->zstd_out);
    ZSTD_freeDCtx(c->zstd_in);
    rw_free(c);
}

static int ready(struct rw_codecs **codecs)
{
    if (!*codecs)
        *codecs = rw_zalloc(sizeof(**codecs));
    return *codecs ? RW_OK : RW_E_NOMEM;
}

static int compress_one(struct rw_codecs **codecs, enum rw_codec codec, int level,
                        struct rw_slice in, struct rw_buf *out)
{
    int code = codec == RW_CODEC_NONE || codec == RW_CODEC_SNAPPY ? RW_OK : ready(codecs);
    if (code)
        return code;
    switch (codec) {
    case RW_CODEC_NONE:
        rw_buf_add(out, in.p, in.n);
        return out->failed ? RW_E_NOMEM : RW_OK;
    case RW_CODEC_GZIP:
        return gzip_compress(*codecs, level, in, out);
    case RW_CODEC_SNAPPY:
        return rw_snappy_compress(in, out);
    case RW_CODEC_LZ4:
        return lz4_compress(*codecs, level, in, out);
    case RW_CODEC_ZSTD:
        return zstd_compress(*codecs, level, in, out);
    }
    return RW_E_UNSUPPORTED;
}

static int decompress_one(struct rw_codecs **codecs, enum rw_codec codec, struct rw_slice in,
                          struct output *o)
{
    int code = codec == RW_CODEC_NONE || codec == RW_CODEC_SNAPPY ? RW_OK : ready(codecs);
    if (code)
        return code;
    switch (codec) {
    case RW_CODEC_NONE:
        if (in.n > o->max)
            return RW_E_TOO_BIG;
        rw_buf_add(o->buf, in.p, in.n);
        return o->buf->failed ? RW_E_NOMEM : RW_OK;
    case RW_CODEC_GZIP:
        return gzip_decompress(*codecs, in, o);
    case RW_CODEC_SNAPPY:
        return rw_snappy_decompress(in, o->max, o->buf);
    case RW_CODEC_LZ4:
        return lz4_decompress(*codecs, in, o);
    case RW_CODEC_ZSTD:
        return zstd_decompress(*codecs, in, o);
    }
    return RW_E_UNSUPPORTED;
}

/* After an error the buffer is as it was, also its sticky flag when it was clear. */
static int settle(struct rw_buf *out, size_t before, int code)
{
    if (code) {
        out->n = before;
        out->failed = false;
    }
    return code;
}

int rw_compress_with(struct rw_codecs **codecs, enum rw_codec codec, int level, struct rw_slice in,
                     struct rw_buf *out)
{
    size_t before = out->n;
    return out->failed ? RW_E_NOMEM
                       : settle(out, before, compress_one(codecs, codec, level, in, out));
}

int rw_decompress_with(struct rw_codecs **codecs, enum rw_codec codec, struct rw_slice in,
                       size_t max, struct rw_buf *out)
{
    struct output o = {.buf = out, .start = out->n, .max = max};
    if (out->failed)
        return RW_E_NOMEM;
    if (in.n == 0)
        return codec == RW_CODEC_NONE ? RW_OK : RW_E_CORRUPT; /* every format has a header */
    return settle(out, o.start, decompress_one(codecs, codec, in, &o));
}

int rw_compress(enum rw_codec codec, int level, struct rw_slice in, struct rw_buf *out)
{
    struct rw_codecs *codecs = NULL;
    int code = rw_compress_with(&codecs, codec, level, in, out);
    rw_codecs_free(codecs);
    return code;
}

int rw_decompress(enum rw_codec codec, struct rw_slice in, size_t max, struct rw_buf *out)
{
    struct rw_codecs *codecs = NULL;
    int code = rw_decompress_with(&codecs, codec, in, max, out);
    rw_codecs_free(codecs);
    return code;
}

static const char *const names[] = {"none", "gzip", "snappy", "lz4", "zstd"};

const char *rw_codec_name(enum rw_codec codec)
{
    return (unsigned)codec < sizeof(names) / sizeof(names[0]) ? names[codec] : "unknown";
}

bool rw_codec_parse(const char *name, enum rw_codec *ret_codec)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(name, names[i])) {
            *ret_codec = (enum rw_codec)i;
            return true;
        }
    return false;
}
