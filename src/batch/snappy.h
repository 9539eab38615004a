/*
 * Private to batch/: the snappy block format, with and without the xerial framing of Java clients.
 *
 *   xerial: 82 'S' 'N' 'A' 'P' 'P' 'Y' 00, int32 version, int32 compatible version,
 *           then blocks: int32 size, one raw snappy block
 */
#pragma once

#include "base/buf.h"
#include "base/code.h"
#include "base/slice.h"

/* Appends xerial framing with blocks of 32 KiB. RW_E_NOMEM. */
RW_MUST int rw_snappy_compress(struct rw_slice in, struct rw_buf *out);
/* Appends one raw block; at most 2^32 - 1 bytes. RW_E_NOMEM, RW_E_TOO_BIG. */
RW_MUST int rw_snappy_compress_raw(struct rw_slice in, struct rw_buf *out);
/* Either framing. RW_E_CORRUPT, RW_E_TOO_BIG, RW_E_NOMEM; out may have grown by then. */
RW_MUST int rw_snappy_decompress(struct rw_slice in, size_t max, struct rw_buf *out);
