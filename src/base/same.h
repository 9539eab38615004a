/*
 * Which of many texts are the same: requests name topics, partitions or resources in lists, and a list
 * of a hundred thousand names is one request like any other, so comparing each with each is out of the
 * question.
 */
#pragma once

#include "base/arena.h"
#include "base/code.h"

/*
 * ret_same[i]: -1 when no other text equals texts[i]; else the index of another one, which is the first
 * of them for all but the first itself. So `same[i] >= 0` says "is there twice", and
 * `same[i] >= 0 && same[i] < i` "was there before". Null texts equal nothing. The result lies in the
 * arena. RW_E_NOMEM.
 */
RW_MUST int rw_find_same(const struct rw_str *texts, int32_t n, struct rw_arena *arena,
                         int32_t **ret_same);
