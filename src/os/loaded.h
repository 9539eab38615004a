/* What the dynamic loader has loaded: programs that load and unload parts of themselves have static data that comes and goes. */
#pragma once

typedef void (*rw_os_loaded_visit)(void *arg, const void *from, const void *to);

/* Calls `visit` with each range of static data that can be written; nothing is unloaded meanwhile. Not for signal handlers. */
void rw_os_loaded_data(rw_os_loaded_visit visit, void *arg);
