/* Errors for people, and the way from Kafka's error codes to ours. */
#include "client/error.h"

#include <stdarg.h>
#include <stdio.h>
#include "wire/error.h"

int rw_client_fail(struct rw_client_err *err, int code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof(err->text), format, args);
        va_end(args);
        err->code = code;
        err->kafka = 0;
        err->hint[0] = 0;
    }
    return code;
}

void rw_client_hint(struct rw_client_err *err, const char *format, ...)
{
    if (!err)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(err->hint, sizeof(err->hint), format, args);
    va_end(args);
}

static int code_of(int16_t kafka)
{
    switch (kafka) {
    case RW_KERR_UNKNOWN_TOPIC_OR_PARTITION:
    case RW_KERR_UNKNOWN_TOPIC_ID:
    case RW_KERR_GROUP_ID_NOT_FOUND:
        return RW_E_NOT_FOUND;
    case RW_KERR_TOPIC_ALREADY_EXISTS:
        return RW_E_EXISTS;
    case RW_KERR_TOPIC_AUTHORIZATION_FAILED:
    case RW_KERR_GROUP_AUTHORIZATION_FAILED:
    case RW_KERR_CLUSTER_AUTHORIZATION_FAILED:
    case RW_KERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RW_KERR_SASL_AUTHENTICATION_FAILED:
        return RW_E_AUTH;
    case RW_KERR_OFFSET_OUT_OF_RANGE:
        return RW_E_RANGE;
    case RW_KERR_REQUEST_TIMED_OUT:
        return RW_E_TIMEOUT;
    case RW_KERR_UNSUPPORTED_VERSION:
        return RW_E_UNSUPPORTED;
    default:
        return RW_E_BROKER;
    }
}

int rw_client_fail_kafka(struct rw_client_err *err, int16_t kafka, const char *message,
                         int message_n, const char *what)
{
    if (message_n > 0)
        rw_client_fail(err, code_of(kafka), "%s: %s (%.*s)", what, rw_kerr_name(kafka), message_n,
                       message);
    else
        rw_client_fail(err, code_of(kafka), "%s: %s (%s)", what, rw_kerr_name(kafka),
                       rw_kerr_text(kafka));
    if (err)
        err->kafka = kafka;
    return code_of(kafka);
}
