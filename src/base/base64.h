/* Base64 (RFC 4648), the standard alphabet with padding and the URL-safe one without. */
#pragma once

#include <stdbool.h>
#include "base/buf.h"
#include "base/code.h"
#include "base/slice.h"

enum rw_base64 {
    RW_BASE64_STANDARD,
    RW_BASE64_URL,
    RW_BASE64_RAW /* the standard alphabet without padding; optional when decoding */
};

/* Appends; sticky failure of out. */
void rw_base64_encode(enum rw_base64 alphabet, struct rw_slice in, struct rw_buf *out);
/* Appends. Strict: no white space, padding as the alphabet demands (optional for URL and RAW), no stray bits.
 * RW_E_INVAL, RW_E_NOMEM; out is as it was before. */
RW_MUST int rw_base64_decode(enum rw_base64 alphabet, struct rw_str in, struct rw_buf *out);
