/* What a thread can know and do about itself and the others of its process. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include "base/code.h"

/* The system's id of the calling thread. */
uint32_t rw_os_task_id(void);
uint32_t rw_os_process_id(void);
/* A memory barrier in every thread of the process, so that the others need none on their fast path (membarrier(2)). Where the system
 * has none: waits as long as a store may take to be seen. */
void rw_os_barrier_all_threads(void);
/* Names the calling thread, as tools show it; at most 15 bytes. */
void rw_os_task_name(const char *name);
/* One write to standard error; what does not go out is lost. Signal-safe. */
void rw_os_write_stderr(const char *p, size_t n);
/* A folder in memory for files of this user: $XDG_RUNTIME_DIR/rollway, or /dev/shm/rollway-<uid>, or the same below /tmp; it is made when
 * it is not there. RW_E_TOO_BIG, RW_E_PERM (it is somebody else's), RW_E_IO. */
RW_MUST int rw_os_run_dir(char *ret, size_t n);
/* Where this user's programs keep what outlives them: $XDG_STATE_HOME/rollway, for root /var/lib/rollway/spool, else
 * ~/.local/state/rollway. It is not made. RW_E_TOO_BIG, RW_E_NOT_FOUND: there is no such place. */
RW_MUST int rw_os_state_dir(char *ret, size_t n);
/* The name of the program, without its folder. Static storage. */
const char *rw_os_program(void);
/* Until the end of the block pthread_cancel() waits: a thread that ended here would leave locked or half done what it is at. */
#define RW_OS_NOT_CANCELLED                                                                        \
    __attribute__((cleanup(rw_os_cancel_release), unused)) int rw_os_cancel_held =                 \
        rw_os_cancel_hold()
int rw_os_cancel_hold(void);
void rw_os_cancel_release(const int *held);
/* The calling thread runs when nothing else wants to, disk included. */
void rw_os_task_idle(void);
