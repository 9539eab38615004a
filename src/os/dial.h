/* The real env/dial.h: TCP over POSIX sockets. */
#pragma once

#include "env/dial.h"

/* Fills in *d (caller's memory, which must outlive its streams); set d->canceled afterwards if wanted. */
void rw_os_dialer_init(struct rw_dialer *d);
