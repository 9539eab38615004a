/* The topics, or the logs of a spool, that a command on dead letters is about. */
#pragma once

#include "cli/dead_letter.h"
#include "cli/ranges.h"

struct rw_dead_places {
    struct rw_name_list topics;
    struct rw_name_list dirs; /* of a spool: as many; otherwise none */
};

/* From the operands, or all there are; an exit code. Said when there is none of those that were named. */
int rw_dead_places(struct rw_cli_client *c, struct rw_dead_places *ret);
void rw_dead_places_deinit(struct rw_dead_places *p);
/* The directory of place i; NULL: it is a topic. */
const char *rw_dead_dir(const struct rw_dead_places *p, int i);

#define RW_OPTION_SPOOL                                                                            \
    {                                                                                              \
        "spool", 0, RW_OPT_STRING, "DIR",                                                          \
            "the dead letters that a broker appender keeps in its spool, instead of topics", "dir" \
    }
