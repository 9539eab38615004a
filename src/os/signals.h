/* Signals of a server: taken by one thread that waits for them, ignored where they would kill. */
#pragma once

#include "base/code.h"

/* Blocks SIGTERM, SIGINT and SIGHUP and ignores SIGPIPE and SIGXFSZ (a file above `ulimit -f` is an error of
 * the write). In main(), before any thread starts: they inherit it. */
void rw_os_signals_block(void);
/* Waits for one of the blocked signals and returns its number. */
int rw_os_signals_wait(void);
/* Makes rw_os_signals_wait() return SIGTERM, from any thread: the server ends by itself. */
void rw_os_signals_raise_term(void);
