/* Standard output and standard error as somebody else may have left them: a terminal, a pipe nobody reads, closed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "base/code.h"

/* Waits at most wait_ms for room; *ret_n: how much went out, on errors too. RW_E_AGAIN: no room in time. RW_E_CLOSED: the reader
 * is gone; no SIGPIPE comes of it. */
RW_MUST int rw_os_console_write(int fd, const char *p, size_t n, int wait_ms, size_t *ret_n);
/* A terminal that knows colours, and nobody said NO_COLOR; or CLICOLOR_FORCE says so, terminal or not. */
bool rw_os_console_colour(int fd);
