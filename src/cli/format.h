/*
 * The format mini-language of produce -f and consume -f (that of rpk, with kcat's letters on request).
 *
 *   %t topic      %T its length       %p partition   %o offset      %e leader epoch
 *   %k key        %K its length       %d timestamp   %x producer id %y producer epoch
 *   %v value      %V its length       %a{compression|timestamp-type|transactional|control}
 *   %h{...} once per header, with %k %v %K %V inside; %H how many
 *   %[ log start offset   %| last stable offset   %] high watermark   %i records so far
 *   %% %{ %} themselves; \t \n \r \\ \xNN
 *
 * In braces after a text field: hex, base64, base64raw, json, unpack[...] (output), re[...] (input: as
 * much as the regular expression matches). After a number: ascii, hex8 hex16 hex32
 * hex64 hex4, big8 .. big64, little8 .. little64, byte, bool. After %d: strftime[...] too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/slice.h"
#include "batch/batch.h"

enum rw_format_mode {
    RW_FORMAT_PLAIN, /* text as it is, numbers in decimal digits */
    RW_FORMAT_HEX,   /* text: two digits a byte; numbers: `bits` wide */
    RW_FORMAT_BASE64,
    RW_FORMAT_BASE64_RAW, /* no padding */
    RW_FORMAT_JSON,       /* text as a JSON string */
    RW_FORMAT_BIG,
    RW_FORMAT_LITTLE,
    RW_FORMAT_BOOL,
    RW_FORMAT_STRFTIME, /* literal: the pattern, NUL-terminated */
    RW_FORMAT_UNPACK,   /* literal: the pattern, NUL-terminated */
    RW_FORMAT_REGEX     /* regex is set */
};

struct rw_format_token {
    char field; /* the letter after %, 0: literal text */
    enum rw_format_mode mode;
    int bits;
    char *literal; /* literal text, strftime pattern, %a's attribute */
    size_t literal_n;
    struct rw_format *inner; /* of %h */
    struct rw_regex *regex;
};

struct rw_format {
    struct rw_format_token *tokens;
    int n_tokens;
    bool kcat;        /* lengths of nulls are -1 */
    bool values_only; /* exactly "%v\n": the common case has a short cut */
};

/* RW_OK, RW_E_INVAL (error says what and where), RW_E_NOMEM. kcat: %s value, %S its length, %T
 * timestamp. */
RW_MUST int rw_format_parse(const char *text, bool kcat, struct rw_format **ret_format,
                            char error[160]);
void rw_format_free(struct rw_format *f); /* NULL is fine */

/* What a record is shown with. */
struct rw_format_record {
    const char *topic;
    int32_t partition;
    const struct rw_record *record;
    const struct rw_batch *batch; /* may be NULL: unknown attributes */
    int64_t log_start_offset, last_stable_offset, high_watermark, number;
};

/* RW_OK when records can be shown by the format; else RW_E_INVAL. */
RW_MUST int rw_format_check_output(const struct rw_format *f, char error[160]);
void rw_format_render(const struct rw_format *f, const struct rw_format_record *r,
                      struct rw_buf *out);

/* unpack[...] (format_unpack.c). */
bool rw_format_unpack_check(const char *pattern);
void rw_format_unpack(const char *pattern, struct rw_slice s, struct rw_buf *out);

/* ---- the other direction (format_read.c) ---- */

struct rw_format_header {
    struct rw_slice key, value;
};

/* A record cut out of input. Views into the reader's buffer or into `scratch`. */
struct rw_format_input {
    struct rw_slice topic, key, value; /* p NULL: not in the input */
    bool has_partition, has_timestamp;
    int64_t partition, timestamp;
    struct rw_format_header *headers; /* room for RW_FORMAT_HEADERS_MAX */
    int n_headers;
    struct rw_buf scratch; /* decoded hex and base64 */
};

#define RW_FORMAT_HEADERS_MAX 256

/* RW_OK when the format can be read (every field can be told from the next); else RW_E_INVAL. */
RW_MUST int rw_format_check_input(const struct rw_format *f, char error[160]);
/*
 * Cuts one record out of p[0..n). `last`: no more bytes will come. 1: a record, *ret_used bytes of it.
 * 0: nothing is left. RW_E_SHORT: more bytes are needed. RW_E_INVAL: the input does not fit the format.
 */
int rw_format_read(const struct rw_format *f, const uint8_t *p, size_t n, bool last,
                   struct rw_format_input *in, size_t *ret_used);
/* Is every record exactly one line of the input? Then the n-th record is on the n-th line. */
bool rw_format_reads_lines(const struct rw_format *f);
