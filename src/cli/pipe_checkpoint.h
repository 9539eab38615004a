/*
 * The file of a pipe's progress (pipe/progress.h), replaced as a whole (rename) after the output is durable; so after a kill or a power cut
 * the pipe goes on where its output ends. A lock beside it keeps two pipes from having the same.
 */
#pragma once

#include "os/append_file.h"
#include "pipe/progress.h"

enum { RW_PIPE_PATH = 512 };

struct rw_pipe_checkpoint {
    char path[RW_PIPE_PATH]; /* "": nothing is kept */
    struct rw_pipe_progress progress;
    struct rw_os_append lock, output_lock;
    struct rw_buf text;
};

void rw_pipe_checkpoint_init(struct rw_pipe_checkpoint *c);
void rw_pipe_checkpoint_deinit(struct rw_pipe_checkpoint *c);
/* Takes the lock and reads what is there. RW_E_LOCKED: another pipe has it; RW_E_CORRUPT; RW_E_INVAL: it is of another topic. Words in ret_err. */
RW_MUST int rw_pipe_checkpoint_open(struct rw_pipe_checkpoint *c, const char *path,
                                    const char *topic, struct rw_err *ret_err);
/* The lock that a pipe with the usual checkpoint of `file` has, where another checkpoint was asked for: what pipes write to the same file they would cut
 * off at their next starts. RW_E_LOCKED, with words. */
RW_MUST int rw_pipe_checkpoint_lock_output(struct rw_pipe_checkpoint *c, const char *file,
                                           struct rw_err *ret_err);
/* Durable when it returns. */
RW_MUST int rw_pipe_checkpoint_store(struct rw_pipe_checkpoint *c, struct rw_err *ret_err);
