/* Configuration of topics and brokers, shown (DescribeConfigs). */
#pragma once

#include "cli/connect.h"
#include "base/json.h"

enum { RW_RESOURCE_TOPIC = 2, RW_RESOURCE_BROKER = 4 };

/* Prints a table (wide: with defaults, types, and what changes only by a restart), or with `j` adds the member "configs" (an object by key). only: one key, NULL: all.
 * A result code; client->err is set. RW_E_NOT_FOUND when `only` is no key. */
int rw_cli_configs(struct rw_cli_client *client, int8_t type, const char *name, const char *only,
                   bool wide, struct rw_json *j);
