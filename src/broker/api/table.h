/* The number of rows in api/table.c, for broker/service.c. */
#pragma once

enum { RW_HANDLERS = 15 };
