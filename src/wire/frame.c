/* Framing. The prefix comes from a stranger: it is checked before anybody sizes a buffer by it. */
#include "wire/frame.h"

#include "base/assert.h"

int rw_frame_check(const void *p, size_t n, size_t max, size_t *ret_size)
{
    if (n < RW_FRAME_PREFIX) {
        *ret_size = RW_FRAME_PREFIX;
        return RW_E_SHORT;
    }
    int32_t size = (int32_t)rw_load_be32(p);
    if (size < 0)
        return RW_E_CORRUPT;
    if ((size_t)size > max)
        return RW_E_TOO_BIG;
    *ret_size = RW_FRAME_PREFIX + (size_t)size;
    return n < *ret_size ? RW_E_SHORT : RW_OK;
}

void rw_frame_begin(struct rw_writer *w)
{
    RW_ASSERT(w->buf.n == 0);
    rw_write_i32(w, 0);
}

int rw_frame_end(struct rw_writer *w)
{
    int code = rw_writer_code(w);
    if (code)
        return code;
    RW_ASSERT(w->buf.n >= RW_FRAME_PREFIX);
    size_t size = rw_writer_size(w) - RW_FRAME_PREFIX;
    if (size > INT32_MAX)
        return RW_E_TOO_BIG;
    rw_store_be32(w->buf.p, (uint32_t)size);
    return RW_OK;
}
