/*
 * Changes of the metadata, decided: a request and the image go in, records and the answer come out.
 * Nothing is changed here; the records take effect when they were committed and applied
 * (rw_meta_apply()), and the answer may leave only then. With validate_only no records come out.
 *
 * `out` is an initialised response; what goes into it lies in list->arena or in `in`. Errors of single
 * topics are in the answer; the returned code is RW_OK or RW_E_NOMEM (then records and answer are to be
 * thrown away). Records of a topic with an error are not in the list.
 */
#pragma once

#include "meta/image.h"
#include "meta/records.h"
#include "wire/messages.h"

/* Which keys are meant. */
enum rw_meta_setting { RW_META_TOPIC_SETTING, RW_META_BROKER_SETTING };

/* What the broker's configuration says, and what a pure function can not have by itself. */
struct rw_meta_policy {
    int32_t default_partitions;
    int16_t default_replication;
    int32_t request_partitions_max; /* that one request may create */
    size_t partitions_max;          /* in the cluster */
    bool delete_enabled;
    void *arg;
    /* How many partitions more there are file descriptors for; may be negative. */
    int64_t (*partitions_room)(void *arg);
    struct rw_uuid (*new_id)(void *arg);
    /* Canonical form of a setting, in the arena; RW_E_INVAL with words, RW_E_NOMEM. Of a broker's those
     * that may change while it runs. */
    int (*check_value)(void *arg, enum rw_meta_setting kind, struct rw_str name,
                       struct rw_str value, struct rw_arena *arena, struct rw_str *ret_value,
                       struct rw_str *ret_why);
    /* Rules between the settings of one topic or broker. */
    int (*check_all)(void *arg, enum rw_meta_setting kind, const struct rw_pair *own, size_t n_own,
                     struct rw_arena *arena, struct rw_str *ret_why);
    /* True when the setting is a list (append and subtract are allowed); *ret_value: what it is
     * without an own value. */
    bool (*is_list)(void *arg, enum rw_meta_setting kind, struct rw_str name,
                    struct rw_str *ret_value);
};

#define RW_TOPIC_NAME_MAX 249

/* NULL when the name is legal, else words that say why not. */
const char *rw_topic_name_problem(struct rw_str name);

RW_MUST int rw_decide_create_topics(const struct rw_meta *meta, const struct rw_meta_policy *policy,
                                    const struct rw_create_topics_request *in,
                                    struct rw_create_topics_response *out,
                                    struct rw_meta_records *list);
/* names: version < 6 of the request. */
RW_MUST int rw_decide_delete_topics(const struct rw_meta *meta, const struct rw_meta_policy *policy,
                                    const struct rw_delete_topics_request *in,
                                    struct rw_delete_topics_response *out,
                                    struct rw_meta_records *list);
RW_MUST int rw_decide_create_partitions(const struct rw_meta *meta,
                                        const struct rw_meta_policy *policy,
                                        const struct rw_create_partitions_request *in,
                                        struct rw_create_partitions_response *out,
                                        struct rw_meta_records *list);
/* Topics, brokers (by id) and all brokers (""); others are answered INVALID_REQUEST. */
RW_MUST int rw_decide_alter_configs(const struct rw_meta *meta, const struct rw_meta_policy *policy,
                                    const struct rw_alter_configs_request *in,
                                    struct rw_alter_configs_response *out,
                                    struct rw_meta_records *list);
RW_MUST int rw_decide_incremental_alter_configs(
    const struct rw_meta *meta, const struct rw_meta_policy *policy,
    const struct rw_incremental_alter_configs_request *in,
    struct rw_incremental_alter_configs_response *out, struct rw_meta_records *list);
/* An answer with every resource of the request and no error, as the two above begin theirs; for whoever can
 * not even ask them. RW_E_NOMEM. */
RW_MUST int rw_alter_configs_begin(const struct rw_alter_configs_request *in,
                                   struct rw_arena *arena, struct rw_alter_configs_response *out);
RW_MUST int rw_incremental_alter_configs_begin(
    const struct rw_incremental_alter_configs_request *in, struct rw_arena *arena,
    struct rw_incremental_alter_configs_response *out);

/* Takes the next n producer ids, starting at *ret_first: unique in the cluster for ever. */
RW_MUST int rw_decide_producer_ids(const struct rw_meta *meta, int32_t broker_id, int32_t n,
                                   int64_t *ret_first, struct rw_meta_records *list);
/* This broker's registration, when it is new, its address changed, or its last stop was unclean: then
 * everything that it leads gets a new leader epoch. Offsets may be given out a second time, and clients
 * must be able to tell them from the first (KIP-101, KIP-320). */
RW_MUST int rw_decide_register_broker(const struct rw_meta *meta, int32_t broker_id,
                                      struct rw_str host, uint16_t port, struct rw_str rack,
                                      bool unclean, struct rw_meta_records *list);
