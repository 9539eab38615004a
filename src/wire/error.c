/* Look-ups in the generated table of error codes, and the bridge from our result codes. */
#include "wire/error.h"

#include "base/code.h"
#include "wire/tables.h"

static const struct rw_kerr_row *find(int16_t error)
{
    return error < RW_KERR_FIRST || error > RW_KERR_LAST ? NULL
                                                         : &rw_kerr_rows[error - RW_KERR_FIRST];
}

const char *rw_kerr_name(int16_t error)
{
    const struct rw_kerr_row *row = find(error);
    return row ? row->name : "UNKNOWN";
}

const char *rw_kerr_text(int16_t error)
{
    const struct rw_kerr_row *row = find(error);
    return row ? row->text : "the broker sent an error code that this version does not know";
}

bool rw_kerr_retriable(int16_t error)
{
    const struct rw_kerr_row *row = find(error);
    return row && row->retriable;
}

/* UNKNOWN_SERVER_ERROR only where nothing better fits: clients treat it as final. */
static int16_t bridge(enum rw_code code)
{
    switch (code) {
    case RW_OK:
        return RW_KERR_NONE;
    case RW_E_CORRUPT:
    case RW_E_SHORT:
        return RW_KERR_CORRUPT_MESSAGE;
    case RW_E_INVAL:
        return RW_KERR_INVALID_REQUEST;
    case RW_E_TOO_BIG:
        return RW_KERR_MESSAGE_TOO_LARGE;
    case RW_E_UNSUPPORTED:
        return RW_KERR_UNSUPPORTED_VERSION;
    case RW_E_RANGE:
        return RW_KERR_OFFSET_OUT_OF_RANGE;
    case RW_E_NOT_FOUND:
        return RW_KERR_UNKNOWN_TOPIC_OR_PARTITION;
    case RW_E_EXISTS:
        return RW_KERR_TOPIC_ALREADY_EXISTS;
    case RW_E_NOMEM:
    case RW_E_FULL:
    case RW_E_IO:
    case RW_E_OFFLINE:
    case RW_E_PERM:
    case RW_E_LOCKED:
    case RW_E_LIMIT:
        return RW_KERR_KAFKA_STORAGE_ERROR;
    case RW_E_TIMEOUT:
    case RW_E_AGAIN:
        return RW_KERR_REQUEST_TIMED_OUT;
    case RW_E_CLOSED:
    case RW_E_CANCELED:
        return RW_KERR_NOT_LEADER_OR_FOLLOWER;
    case RW_E_REFUSED:
    case RW_E_DNS:
        return RW_KERR_NETWORK_EXCEPTION;
    case RW_E_SEQUENCE:
        return RW_KERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    case RW_E_FENCED:
        return RW_KERR_INVALID_PRODUCER_EPOCH;
    case RW_E_TIMESTAMP:
        return RW_KERR_INVALID_TIMESTAMP;
    case RW_E_RECORD:
        return RW_KERR_INVALID_RECORD;
    case RW_E_AUTH:
        return RW_KERR_SASL_AUTHENTICATION_FAILED;
    case RW_E_BROKER:
    case RW_CODE_COUNT:
        break;
    }
    return RW_KERR_UNKNOWN_SERVER_ERROR;
}

int16_t rw_kerr_from_code(int code)
{
    return bridge((enum rw_code)code);
}
