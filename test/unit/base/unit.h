/* What every test of base/ includes first. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/buf.h"
#include "base/code.h"
#include "base/mem.h"
#include "base/slice.h"

static inline struct rw_slice text(const char *s)
{
    return rw_slice(s, strlen(s));
}
