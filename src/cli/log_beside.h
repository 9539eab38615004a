/* What lies beside a log and belongs to it: the checkpoints of its own directory or of a data directory. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/code.h"
#include "log/path.h"

#define RW_START_NAME          "log-start-offset-checkpoint"
#define RW_RECOVERY_NAME       "recovery-point-offset-checkpoint"
#define RW_HIGH_WATERMARK_NAME "replication-offset-checkpoint"
#define RW_IDENTITY_NAME       "meta.properties"

struct rw_log_beside {
    struct rw_path real;   /* the log's directory without links and dots */
    struct rw_path parent; /* the directory that it lies in */
    const char *name;      /* its own name, in `real` */
    bool partition;        /* it is one of the partitions of a broker's data directory */
    int64_t start, recovery;
    int64_t high_watermark; /* -1: not known */
};

/* RW_E_NOT_FOUND and what else the path's look-up gives. A checkpoint that can not be used counts as none. */
RW_MUST int rw_log_beside_read(const char *dir, struct rw_log_beside *ret);
bool rw_log_is_data_dir(const char *dir);
/*
 * Notes an offset for the log in DATA_DIR/NAME in one of the checkpoint files of DATA_DIR; other lines
 * stay. DATA_DIR may be the log itself. RW_E_CORRUPT: the file can not be understood.
 */
RW_MUST int rw_log_note(const char *data_dir, const char *checkpoint, const char *name,
                        int64_t offset);
