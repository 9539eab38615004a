/* Names of files inside a log directory, and paths put together with a bound. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/code.h"

struct rw_path {
    char s[4096];
};

#define RW_SUFFIX_LOG       ".log"
#define RW_SUFFIX_INDEX     ".index"
#define RW_SUFFIX_TIMEINDEX ".timeindex"
#define RW_SUFFIX_TXNINDEX  ".txnindex"
#define RW_SUFFIX_SNAPSHOT  ".snapshot"
#define RW_SUFFIX_DELETED   ".deleted"
#define RW_SUFFIX_CLEANED   ".cleaned"
#define RW_SUFFIX_SWAP      ".swap"
#define RW_SUFFIX_TMP       ".tmp"
#define RW_EPOCHS_NAME      "leader-epoch-checkpoint"
#define RW_METADATA_NAME    "partition.metadata"
#define RW_CONTIGUOUS_NAME  ".rollway-contiguous"

/* dir/name followed by suffix (NULL: none). RW_E_TOO_BIG when it does not fit. */
RW_MUST int rw_path_join(struct rw_path *p, const char *dir, const char *name, const char *suffix);
/* dir/<20-digit offset><suffix><suffix2>. */
RW_MUST int rw_path_of(struct rw_path *p, const char *dir, int64_t offset, const char *suffix,
                       const char *suffix2);
/* The directory that contains `path`; "." for a bare name. */
RW_MUST int rw_path_parent(struct rw_path *p, const char *path);
bool rw_name_ends(const char *name, const char *suffix);
/* Splits "00000000000000000042.log" into 42 and ".log"; false when the name is not of that kind. */
bool rw_name_parse(const char *name, int64_t *ret_offset, const char **ret_suffix);
/* Splits "topic-3" at its last dash. topic must hold strlen(name) + 1 bytes. */
bool rw_name_partition(const char *name, char *ret_topic, int32_t *ret_partition);
