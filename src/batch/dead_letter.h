/*
 * What a dead letter carries: a record that could not be delivered or processed goes to a topic of its own (<topic>.dlq) with its key,
 * value and headers, and with these headers, as text. Who writes them: the logging library (logger/ship_dead.c); who reads them:
 * `rollway dlq`.
 */
#pragma once

#define RW_DLQ_SUFFIX ".dlq"
#define RW_DLQ_PREFIX "rollway.dlq."

#define RW_DLQ_REASON    RW_DLQ_PREFIX "reason"    /* in words, or the name of a broker's error */
#define RW_DLQ_CODE      RW_DLQ_PREFIX "code"      /* a number, or a short name, for programs */
#define RW_DLQ_TOPIC     RW_DLQ_PREFIX "topic"     /* where it came from, or was to go */
#define RW_DLQ_PARTITION RW_DLQ_PREFIX "partition" /* of that topic */
#define RW_DLQ_OFFSET    RW_DLQ_PREFIX "offset"    /* there; not of records that never got there */
#define RW_DLQ_TIME      RW_DLQ_PREFIX "time"      /* when it was given up: Unix milliseconds */
/* How often it was replayed. The one that a replayed record has, so that a letter that comes back is known. */
#define RW_DLQ_REPLAYED RW_DLQ_PREFIX "replayed"
