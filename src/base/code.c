/* Names, words and classes of the result codes. */
#include "base/code.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name, *text;
    enum rw_class class;
} codes[RW_CODE_COUNT] = {
    [-RW_OK] = {"RW_OK", "success", RW_CLASS_OK},
    [-RW_E_NOMEM] = {"RW_E_NOMEM", "out of memory", RW_CLASS_RETRY},
    [-RW_E_INVAL] = {"RW_E_INVAL", "invalid argument", RW_CLASS_REJECT},
    [-RW_E_CORRUPT] = {"RW_E_CORRUPT", "corrupt data", RW_CLASS_REJECT},
    [-RW_E_SHORT] = {"RW_E_SHORT", "truncated data", RW_CLASS_REJECT},
    [-RW_E_TOO_BIG] = {"RW_E_TOO_BIG", "larger than the limit", RW_CLASS_REJECT},
    [-RW_E_UNSUPPORTED] = {"RW_E_UNSUPPORTED", "not supported", RW_CLASS_REJECT},
    [-RW_E_RANGE] = {"RW_E_RANGE", "offset out of range", RW_CLASS_REJECT},
    [-RW_E_NOT_FOUND] = {"RW_E_NOT_FOUND", "not found", RW_CLASS_REJECT},
    [-RW_E_EXISTS] = {"RW_E_EXISTS", "already exists", RW_CLASS_REJECT},
    [-RW_E_LOCKED] = {"RW_E_LOCKED", "in use by another process", RW_CLASS_STOP_BROKER},
    [-RW_E_FULL] = {"RW_E_FULL", "no space left", RW_CLASS_RETRY},
    [-RW_E_IO] = {"RW_E_IO", "input/output error", RW_CLASS_STOP_PARTITION},
    [-RW_E_OFFLINE] = {"RW_E_OFFLINE", "offline after an earlier failure", RW_CLASS_STOP_PARTITION},
    [-RW_E_PERM] = {"RW_E_PERM", "permission denied", RW_CLASS_STOP_PARTITION},
    [-RW_E_LIMIT] = {"RW_E_LIMIT", "a system limit was reached", RW_CLASS_RETRY},
    [-RW_E_TIMEOUT] = {"RW_E_TIMEOUT", "timed out", RW_CLASS_RETRY},
    [-RW_E_AGAIN] = {"RW_E_AGAIN", "not now", RW_CLASS_RETRY},
    [-RW_E_CLOSED] = {"RW_E_CLOSED", "closed", RW_CLASS_REJECT},
    [-RW_E_CANCELED] = {"RW_E_CANCELED", "canceled", RW_CLASS_RETRY},
    [-RW_E_REFUSED] = {"RW_E_REFUSED", "connection refused", RW_CLASS_RETRY},
    [-RW_E_DNS] = {"RW_E_DNS", "host name does not resolve", RW_CLASS_RETRY},
    [-RW_E_SEQUENCE] = {"RW_E_SEQUENCE", "producer sequence out of order", RW_CLASS_REJECT},
    [-RW_E_FENCED] = {"RW_E_FENCED", "older than the current epoch", RW_CLASS_REJECT},
    [-RW_E_TIMESTAMP] = {"RW_E_TIMESTAMP", "timestamp outside the allowed range", RW_CLASS_REJECT},
    [-RW_E_RECORD] = {"RW_E_RECORD", "record breaks a rule of the topic", RW_CLASS_REJECT},
    [-RW_E_BROKER] = {"RW_E_BROKER", "the broker answered with an error", RW_CLASS_REJECT},
    [-RW_E_AUTH] = {"RW_E_AUTH", "not authenticated or not authorized", RW_CLASS_REJECT},
};

static int is_code(int code)
{
    return code <= 0 && code > -RW_CODE_COUNT;
}

const char *rw_code_name(int code)
{
    return is_code(code) ? codes[-code].name : "RW_E_?";
}

const char *rw_code_text(int code)
{
    return is_code(code) ? codes[-code].text : "unknown error";
}

enum rw_class rw_code_class(int code)
{
    return is_code(code) ? codes[-code].class : RW_CLASS_STOP_BROKER;
}

int rw_err_set(struct rw_err *ret_err, int code, const char *format, ...)
{
    if (ret_err) {
        va_list args;
        va_start(args, format);
        ret_err->code = code;
        vsnprintf(ret_err->text, sizeof(ret_err->text), format, args);
        va_end(args);
    }
    return code;
}
