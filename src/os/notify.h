/* Telling systemd about ourselves: sd_notify(3) without its library. */
#pragma once

#include <stdint.h>

/* Sends e.g. "READY=1" to $NOTIFY_SOCKET. Does nothing when there is none. Thread-safe. */
void rw_os_notify(const char *state);
/* How often WATCHDOG=1 is wanted from this process, in microseconds: half of $WATCHDOG_USEC. 0: not at
 * all. */
int64_t rw_os_watchdog_us(void);
