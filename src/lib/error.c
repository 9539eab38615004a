/* Errors in words. The last one per thread is kept, for whichever log it was about. */
#include "lib/lib.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "os/os.h"

struct last_error {
    const struct rollway_log *log;
    char text[512];
};

static _Thread_local struct last_error last;

const char *rollway_version(void)
{
    return ROLLWAY_VERSION;
}

const char *rollway_strerror(int code)
{
    return rw_code_text(code);
}

const char *rollway_log_error(const struct rollway_log *log)
{
    return last.log == log ? last.text : "";
}

int rollway_fail(const struct rollway_log *log, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(last.text, sizeof(last.text), format, args);
    va_end(args);
    last.log = log;
    return code;
}

int rollway_fail_null(const struct rollway_log *log)
{
    return rollway_fail(log, RW_E_INVAL, "an argument is NULL that must not be");
}

int rollway_fail_code(const struct rollway_log *log, int code, const char *what)
{
    if (code >= 0)
        return code;
    bool from_system = code == RW_E_IO || code == RW_E_FULL || code == RW_E_PERM ||
                       code == RW_E_LIMIT || code == RW_E_NOT_FOUND || code == RW_E_LOCKED;
    const char *system = from_system ? rw_os_last_error() : "";
    return rollway_fail(log, code, "%s: %s%s%s%s", what, rw_code_text(code), *system ? " (" : "",
                        system, *system ? ")" : "");
}
