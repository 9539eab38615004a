/*
 * The table of Kafka APIs: one row each, generated from schema/. Broker and client both work from it.
 *
 * Shape of what the generator makes of a message, by the example of CreateTopicsRequest:
 *
 *   struct rw_create_topics_request {
 *       int32_t n_topics;                                array: count (-1: null) ...
 *       struct rw_create_topics_request_topic *topics;   ... and elements; the element type's name is
 *                                                        message + the name given in the schema
 *       int32_t timeout_ms;
 *       bool validate_only;
 *   };
 *   void rw_create_topics_request_init(struct rw_create_topics_request *m);       schema defaults
 *   int  rw_create_topics_request_read(struct rw_reader *r, int16_t version,
 *                                      struct rw_create_topics_request *ret);     RW_OK or r->code
 *   void rw_create_topics_request_write(struct rw_writer *w, int16_t version,
 *                                       const struct rw_create_topics_request *m);
 *
 * and for every element struct also <element>_init(). Field names are the schema's in snake_case.
 * string -> struct rw_str, bytes -> struct rw_slice, records -> struct rw_wire_records, uuid -> struct
 * rw_uuid, arrays of primitives -> n_x and a pointer to the element type. Fields outside a version are
 * set to their defaults by read and ignored by write (unless the schema says they may not be: then
 * write fails the writer). Tagged fields are ordinary members; equal to the default they are not sent.
 * Unknown tags are skipped. A structure that may be null is a pointer. The functions are inline calls of
 * wire/message.h, which walks tables; see there for what happens on failure.
 */
#pragma once

#include "wire/message.h"

struct rw_api {
    int16_t key;
    const char *name;                       /* "Produce" */
    int16_t min, max;                       /* versions the codec knows */
    int16_t flexible;                       /* first flexible version; INT16_MAX when none */
    int16_t advertised_min, advertised_max; /* what ApiVersions says; max < 0: not advertised */
    size_t request_size, response_size;     /* sizeof the structs */
    void (*request_init)(void *m);
    void (*response_init)(void *m);
    int (*request_read)(struct rw_reader *r, int16_t version, void *ret);
    void (*request_write)(struct rw_writer *w, int16_t version, const void *m);
    int (*response_read)(struct rw_reader *r, int16_t version, void *ret);
    void (*response_write)(struct rw_writer *w, int16_t version, const void *m);
    const struct rw_desc *request, *response; /* the field tables, for generic tools */
};

/* enum rw_api_key { RW_API_PRODUCE = 0, RW_API_FETCH = 1, ... } is generated (wire/messages.h). */

/* NULL when the key is unknown. */
const struct rw_api *rw_api_find(int16_t key);
/* All rows in key order. */
const struct rw_api *rw_api_table(size_t *ret_n);

/* Header versions (KIP-482): request header 1 or 2; response header 0 or 1, and always 0 for
 * ApiVersions. */
int rw_api_request_header_version(const struct rw_api *api, int16_t version);
int rw_api_response_header_version(const struct rw_api *api, int16_t version);

struct rw_request_header {
    int16_t api_key;
    int16_t api_version;
    int32_t correlation_id;
    struct rw_str client_id; /* may be null */
};

/* Reads a request header (tagged fields of header v2 skipped). The api key and version come out even
 * when the API or its version is unknown (then only header v1 is read). */
RW_MUST int rw_request_header_read(struct rw_reader *r, struct rw_request_header *ret_header);
void rw_request_header_write(struct rw_writer *w, const struct rw_api *api,
                             const struct rw_request_header *h);
RW_MUST int rw_response_header_read(struct rw_reader *r, const struct rw_api *api, int16_t version,
                                    int32_t *ret_correlation_id);
void rw_response_header_write(struct rw_writer *w, const struct rw_api *api, int16_t version,
                              int32_t correlation_id);
