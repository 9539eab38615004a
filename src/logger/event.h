/* A record as the program's own callbacks and formatters see it. */
#pragma once

#include "logger/view.h"

struct rollway_event {
    const struct rw_lg_view *view;
};
