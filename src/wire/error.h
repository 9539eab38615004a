/*
 * Kafka's error codes (org.apache.kafka.common.protocol.Errors, up to 4.3) and the one bridge from our
 * result codes. The list is generated from schema/errors.txt into wire/error_codes.h:
 * enum rw_kerr { RW_KERR_UNKNOWN_SERVER_ERROR = -1, RW_KERR_NONE = 0, RW_KERR_OFFSET_OUT_OF_RANGE = 1, ... }.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "wire/error_codes.h"

/* "NOT_LEADER_OR_FOLLOWER"; "UNKNOWN(<n>)" is never returned: unknown codes give "UNKNOWN". */
const char *rw_kerr_name(int16_t error);
/* Plain words with what to do about it, for the CLI. */
const char *rw_kerr_text(int16_t error);
bool rw_kerr_retriable(int16_t error);
/* The bridge: RW_E_CORRUPT -> CORRUPT_MESSAGE, RW_E_FULL -> KAFKA_STORAGE_ERROR (retriable) ... */
int16_t rw_kerr_from_code(int code);
