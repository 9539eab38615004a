/*
 * Text that came from elsewhere (an operand, a name, a broker's words), as one line that does nothing to a
 * terminal. Pure.
 */
#pragma once

#include "base/buf.h"

/* Appends `text`: control characters and what is not UTF-8 as \n, \t, \r or \xNN, all else as it is. */
void rw_printable(struct rw_buf *out, const char *text);
