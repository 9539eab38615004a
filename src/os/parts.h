/* The parts of the real environment, for env.c only: tables of functions without state. */
#pragma once

#include "env/env.h"

extern struct rw_clock rw_os_clock; /* clock.c */
extern struct rw_rand rw_os_rand;   /* rand.c */
extern struct rw_vfs rw_os_vfs;     /* vfs_posix.c */
extern struct rw_sync rw_os_sync;   /* sync_pthread.c */
