/* Lines of JSON (base/json_scan.h) as records, and members of members. Pure. */
#pragma once

#include "pipe/record.h"

/* The members of the object that fills the text, as fields of r. RW_E_INVAL with words that say where; RW_E_TOO_BIG. */
RW_MUST int rw_pipe_json_object(struct rw_str text, struct rw_pipe_record *r,
                                struct rw_err *ret_err);
/* One member of an object, "a.b" too. The text has been checked before. False: there is none. */
bool rw_pipe_json_member(struct rw_str object, struct rw_str name, struct rw_arena *arena,
                         struct rw_pipe_value *ret_value);
