/* What the machine, or the container, gives this process. */
#pragma once

#include <stdint.h>

/* Cores this process may run on; at least 1. */
int rw_os_cores(void);
/* Raises the limit of open files as far as this process may, and returns it. */
int64_t rw_os_files_max(void);
/* Bytes of memory: the smaller of the machine's and the control group's limit. */
uint64_t rw_os_memory_bytes(void);
