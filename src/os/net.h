/* env/net.h on Linux sockets, for loops of os/loop.h. */
#pragma once

#include "base/code.h"
#include "env/net.h"

/* Stateless, static storage, thread-safe. Files of rw_os_env()->vfs travel by sendfile, those of
 * another vfs are read and copied. */
struct rw_net *rw_os_net(void);
