/* zlog, with its default buffer of each thread, to one file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "zlog.h"

static zlog_category_t *category;

static void loggers_start(const char *path)
{
    char conf[4200];
    snprintf(conf, sizeof(conf), "%s.conf", path);
    FILE *f = fopen(conf, "w");
    if (!f ||
        fprintf(f, "[formats]\nline = \"%%d.%%us %%V %%m%%n\"\n[rules]\nbench.* \"%s\"; line\n",
                path) < 0 ||
        fclose(f) || zlog_init(conf) || !(category = zlog_get_category("bench")))
        exit(1);
    (void)unlink(conf);
}

static void loggers_thread(void)
{
}

static void loggers_stop(void)
{
    zlog_fini();
}

#define LOGGERS_NAME "zlog"
#define LOGGERS_NUMBERS(a, b, c)                                                                   \
    zlog_info(category, "a message with numbers a=%d b=%d c=%g", a, b, c)
#define LOGGERS_ORDER(user, total, ip, path)                                                       \
    zlog_info(category, "order accepted user=%d total=%g ip=%s path=%s", user, total, ip, path)
#include "measure.h"
