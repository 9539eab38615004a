/*
 * Lines for syslog as logger(1) of util-linux writes them, byte for byte: the local form, RFC 3164, RFC 5424. Pure: time
 * and names are given.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include "base/buf.h"
#include "base/code.h"

enum { RW_SYSLOG_LEVEL = 7, RW_SYSLOG_PRIORITY_MAX = 191 };

/* "local3.err", "err" (of user), "3": facility and level in one number. kern is what the kernel alone uses: it
 * becomes user. RW_E_INVAL with words. */
RW_MUST int rw_syslog_priority(const char *text, int *ret_priority, struct rw_err *ret_err);
const char *rw_syslog_facility_name(int priority);
const char *rw_syslog_level_name(int priority);

enum rw_syslog_form { RW_SYSLOG_LOCAL, RW_SYSLOG_RFC3164, RW_SYSLOG_RFC5424 };

struct rw_syslog_head {
    enum rw_syslog_form form;
    int priority;
    int pid; /* 0: none */
    const char *tag, *host, *msgid;
    bool no_time, no_host; /* of RFC 5424 */
    const char *data;      /* structured data, "-" when there is none */
    struct tm time;        /* local */
    long microseconds;
};

/* Appends all that stands before the message. RW_E_INVAL with words: RFC 5424 does not allow it. */
RW_MUST int rw_syslog_head(struct rw_buf *out, const struct rw_syslog_head *head,
                           struct rw_err *ret_err);

/* Structured data of RFC 5424: "name@number", or one of those that are registered; name="value". */
bool rw_syslog_data_id_valid(const char *id);
bool rw_syslog_data_param_valid(const char *param);
