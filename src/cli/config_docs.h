/* The configuration keys as documents, out of the broker's table. Pure. */
#pragma once

#include "base/buf.h"

/* docs/configuration.md */
void rw_config_markdown(struct rw_buf *out);
/* scdoc source of rollway-config(5). */
void rw_config_man(struct rw_buf *out);
