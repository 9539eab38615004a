/*
 * The call sites that have run, so that they can be switched later. They lie in static data of the program and of its shared
 * libraries; a library that is unloaded takes its own away, and they are never touched again.
 */
#pragma once

#include "rollway/logger.h"

/* Lock-free, signal-safe; a site may be added again. When there is no room it obeys only the switches of its first run. */
void rw_lg_site_list_add(struct rollway_site *site);
/* Calls `visit` with every site that is still there; one caller at a time. */
void rw_lg_site_list_visit(void (*visit)(void *arg, struct rollway_site *site), void *arg);
