/* A record as JSON. Bytes that are no UTF-8 become {"base64":"..."}. */
#include "cli/record_json.h"

static void headers(struct rw_json *j, struct rw_slice encoded)
{
    struct rw_record_header h;
    rw_json_array(j, "headers");
    while (rw_record_next_header(&encoded, &h) == 1) {
        rw_json_object(j, NULL);
        rw_json_bytes(j, "key", rw_slice(h.key.n > 0 ? h.key.p : "", (size_t)h.key.n));
        rw_json_bytes(j, "value", h.value);
        rw_json_end(j);
    }
    rw_json_end(j);
}

static void control(struct rw_json *j, const struct rw_record *record)
{
    int16_t type;
    int32_t epoch;
    if (rw_control_type(record, &type, &epoch) != RW_OK)
        rw_json_cstr(j, "control", "unknown");
    else
        rw_json_cstr(j, "control",
                     type == RW_CONTROL_COMMIT  ? "commit"
                     : type == RW_CONTROL_ABORT ? "abort"
                                                : "other");
}

void rw_record_json(struct rw_buf *out, const struct rw_format_record *r, bool meta_only,
                    unsigned indent)
{
    struct rw_json j;
    const struct rw_record *record = r->record;
    bool log_append = r->batch && r->batch->attributes & RW_ATTR_LOG_APPEND_TIME;
    rw_json_init(&j, out, indent);
    rw_json_object(&j, NULL);
    rw_json_cstr(&j, "topic", r->topic);
    rw_json_int(&j, "partition", r->partition);
    rw_json_int(&j, "offset", record->offset);
    rw_json_int(&j, "timestamp", record->timestamp);
    rw_json_cstr(&j, "timestamp_type", log_append ? "LogAppendTime" : "CreateTime");
    if (r->batch && rw_batch_is_control(r->batch)) {
        control(&j, record);
    } else if (meta_only) {
        rw_json_int(&j, "key_size", record->key.p ? (int64_t)record->key.n : -1);
        rw_json_int(&j, "value_size", record->value.p ? (int64_t)record->value.n : -1);
    } else {
        rw_json_bytes(&j, "key", record->key);
        rw_json_bytes(&j, "value", record->value);
        headers(&j, record->headers);
    }
    rw_json_end(&j);
    rw_buf_add_u8(out, '\n');
}
