/* Puts the parts of the real environment together. Nothing in it has state of its own. */
#include "os/os.h"

#include "os/parts.h"

const struct rw_env *rw_os_env(void)
{
    static const struct rw_env env = {.clock = &rw_os_clock,
                                      .rand = &rw_os_rand,
                                      .vfs = &rw_os_vfs,
                                      .sync = &rw_os_sync,
                                      .diag = NULL,
                                      .fault = NULL};
    return &env;
}
