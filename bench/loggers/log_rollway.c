/* This library, with its settings as they are but for a full ring, where the call waits: as most peers do. */
#include <stdio.h>
#include <stdlib.h>
#include "rollway/logger.h"

static void loggers_start(const char *path)
{
    char settings[4400];
    snprintf(settings, sizeof(settings),
             "overflow = block\nappender.file.overflow = block\nappender.file.type = "
             "file\nappender.file.path = %s\n",
             path);
    struct rollway_logger_options o = {
        .size = sizeof(o), .name = "bench-loggers", .settings = settings};
    if (rollway_logger_start(&o)) {
        fprintf(stderr, "%s\n", rollway_logger_error());
        exit(1);
    }
}

static void loggers_thread(void)
{
}

static void loggers_stop(void)
{
    (void)rollway_logger_close(60000);
}

#define LOGGERS_NAME             "rollway"
#define LOGGERS_NUMBERS(a, b, c) rollway_info("a message with numbers", "a", a, "b", b, "c", c)
#define LOGGERS_ORDER(user, total, ip, path)                                                       \
    rollway_info("order accepted", "user", user, "total", total, "ip", ip, "path", path)
#include "measure.h"
