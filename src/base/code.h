/*
 * The one list of result codes. Every internal function that can fail returns int: RW_OK (0) or one
 * negative code from here. Kafka's wire error codes are another type (wire/error.h); one bridge maps
 * between the two. Each code has a class that says what a caller can do about it.
 */
#pragma once

#define RW_MUST __attribute__((warn_unused_result))

enum rw_code {
    RW_OK = 0,
    RW_E_NOMEM = -1,   /* allocation refused; retry later */
    RW_E_INVAL = -2,   /* an argument or an input value is wrong */
    RW_E_CORRUPT = -3, /* stored or received bytes contradict themselves (CRC, lengths, magic) */
    RW_E_SHORT = -4,   /* the input ends before the thing it promises; more bytes are needed */
    RW_E_TOO_BIG = -5, /* a named limit was exceeded */
    RW_E_UNSUPPORTED = -6, /* valid, but not something this build or this version can do */
    RW_E_RANGE = -7,       /* an offset outside [log start offset, log end offset] */
    RW_E_NOT_FOUND = -8,
    RW_E_EXISTS = -9,
    RW_E_LOCKED = -10,  /* another process owns the directory */
    RW_E_FULL = -11,    /* no space (ENOSPC, EDQUOT), or refused before it came to that */
    RW_E_IO = -12,      /* the device or file system failed (EIO and unknown errno) */
    RW_E_OFFLINE = -13, /* the log or directory was taken offline after an earlier failure */
    RW_E_PERM = -14,    /* permission denied, read-only file system */
    RW_E_LIMIT = -15,   /* the OS ran out of something (descriptors, threads) */
    RW_E_TIMEOUT = -16,
    RW_E_AGAIN = -17,     /* not now: would block */
    RW_E_CLOSED = -18,    /* the peer or the object is closed */
    RW_E_CANCELED = -19,  /* given up because of shutdown */
    RW_E_REFUSED = -20,   /* connection refused, host unreachable */
    RW_E_DNS = -21,       /* a host name does not resolve */
    RW_E_SEQUENCE = -22,  /* idempotent producer: sequence out of order */
    RW_E_FENCED = -23,    /* idempotent producer or leader epoch: older than what is known */
    RW_E_TIMESTAMP = -24, /* record timestamp outside the topic's allowed window */
    RW_E_RECORD = -25,    /* a record breaks a rule of the topic (for example: no key, compacted) */
    RW_E_BROKER = -26,    /* a broker answered with an error of its own */
    RW_E_AUTH = -27,      /* authentication or authorization failed */
    RW_CODE_COUNT = 28
};

enum rw_class {
    RW_CLASS_OK,
    RW_CLASS_RETRY,          /* transient: the same call may succeed later */
    RW_CLASS_REJECT,         /* the input is at fault: answer the peer, carry on */
    RW_CLASS_STOP_PARTITION, /* this log can not be written any more */
    RW_CLASS_STOP_BROKER     /* the process can not go on */
};

/* "RW_E_CORRUPT" for -3; "RW_E_?" for a number that is not a code. Static storage. */
const char *rw_code_name(int code);

/* Plain words for people: "corrupt data". Static storage. */
const char *rw_code_text(int code);

enum rw_class rw_code_class(int code);

/* An error for people, built only at the edge (CLI, broker start, configuration). */
struct rw_err {
    int code;
    char text[400];
};

/* Formats ret_err->text and returns code, so that a caller can `return rw_err_set(...)`.
 * ret_err may be NULL. */
int rw_err_set(struct rw_err *ret_err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
