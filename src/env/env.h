/*
 * The environment seam: everything the program wants from the outside world, as tables of
 * functions. os/ implements it with system calls, sim/ with a deterministic simulation. Code above
 * this line makes no system call, reads no clock and draws no random number in any other way.
 */
#pragma once

#include "base/diag.h"
#include "env/clock.h"
#include "env/fault.h"
#include "env/rand.h"
#include "env/sync.h"
#include "env/vfs.h"

struct rw_env {
    struct rw_clock *clock;
    struct rw_rand *rand;
    struct rw_vfs *vfs;
    struct rw_sync *sync;
    struct rw_diag *diag;   /* may be NULL: silence */
    struct rw_fault *fault; /* may be NULL: no fault points armed */
};
