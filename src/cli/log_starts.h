/* The log start offsets that a data directory keeps for its logs. */
#pragma once

#include <stdint.h>
#include "base/code.h"

/* Notes in DATA_DIR/log-start-offset-checkpoint that the log in DATA_DIR/NAME begins at `start`. Other lines of
 * the file stay. RW_OK when NAME is no name of a partition: nothing is kept for it. */
RW_MUST int rw_log_starts_set(const char *data_dir, const char *name, int64_t start);
