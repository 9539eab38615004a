/* A sink and a folder of its own, for the tests of sinks. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "logger/sink.h"

static inline void sink_set(struct rw_lg_sink *s, const char *key, const char *value)
{
    struct rw_err err = {0};
    if (s->ops->set(s, rw_str(key), rw_str(value), &err))
        fail_msg("%s=%s: %s", key, value, err.text);
}

static inline int sink_write(struct rw_lg_sink *s, const char *text)
{
    struct rw_lg_chunk chunk = {.p = text, .n = strlen(text), .lines = 1};
    struct rw_lg_mark mark;
    size_t n;
    if (s->ops->mark)
        (void)s->ops->mark(s, chunk.n, &mark);
    return s->ops->write(s, &chunk, &n);
}

static inline char *sink_dir(char *ret)
{
    strcpy(ret, "/tmp/rollway-sink-XXXXXX");
    assert_non_null(mkdtemp(ret));
    return ret;
}

/* What a command of the shell prints, without its last line end; %s is the folder. */
static inline const char *sink_shell(const char *dir, const char *command)
{
    static char out[4096];
    char line[1024];
    snprintf(line, sizeof(line), "cd %s && { %s; } 2>/dev/null", dir, command);
    FILE *f = popen(line, "r");
    assert_non_null(f);
    size_t n = fread(out, 1, sizeof(out) - 1, f);
    pclose(f);
    while (n && out[n - 1] == '\n')
        n--;
    out[n] = 0;
    return out;
}

static inline void sink_remove(const char *dir)
{
    char line[256];
    snprintf(line, sizeof(line), "rm -rf %s", dir);
    assert_int_equal(system(line), 0);
}
