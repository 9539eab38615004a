/*
 * Settings of the logger: lines "key = value" (base/properties.h). docs/logger.md lists them; config.c has the table.
 */
#pragma once

#include "base/slice.h"
#include "logger/appender.h"
#include "logger/engine.h"

#include "logger/limit.h"

enum { RW_LG_LEVEL_RULES = 32, RW_LG_SINK_SETTINGS = 32 };

enum rw_lg_colour { RW_LG_COLOUR_AUTO, RW_LG_COLOUR_ALWAYS, RW_LG_COLOUR_NEVER };

struct rw_lg_config_appender {
    struct rw_lg_appender_options o;
    char type[16];
    char format[256];
    bool site, thread;
    enum rw_lg_colour colour;
    unsigned n_settings; /* for the sink */
    struct {
        char key[48];
        char value[512];
        const char *from; /* where it was given, for as long as the settings are read */
        int line;
    } settings[RW_LG_SINK_SETTINGS];
};

struct rw_lg_config {
    char name[RW_LG_NAME];
    char dir[256]; /* of the rings; "none": no file */
    int64_t ring_bytes, journal_bytes, memory_bytes;
    int64_t poll_us;
    bool sync;
    enum rw_lg_overflow overflow[RW_LG_LEVELS];
    int64_t wait_ns[RW_LG_LEVELS];
    struct rw_lg_level_rule levels[RW_LG_LEVEL_RULES];
    unsigned n_levels;
    struct rw_lg_limit_rule limits[RW_LG_LIMITS];
    unsigned n_limits;
    char metrics_path[512]; /* "": none */
    int64_t metrics_ms;
    int reload_signal; /* 0: none */
    struct rw_lg_config_appender appenders[RW_LG_APPENDERS];
    unsigned n_appenders;
};

void rw_lg_config_init(struct rw_lg_config *c);
/* Adds settings; later ones win. `from` names them in errors ("app.conf", "the environment"). RW_E_INVAL with words. */
RW_MUST int rw_lg_config_add(struct rw_lg_config *c, struct rw_slice text, const char *from,
                             struct rw_err *ret_err);
/* What the settings are when all are there: an appender when there is none, sizes that fit each other. */
RW_MUST int rw_lg_config_finish(struct rw_lg_config *c, struct rw_err *ret_err);
/* "trace" ... "fatal", "off"; -1: none of them. */
int rw_lg_level_parse(struct rw_str text);
