/* env/jobs.h on threads. */
#pragma once

#include "base/code.h"
#include "env/jobs.h"

/* threads_max: workers per class, at least 1 each; they start when there is work for them. */
RW_MUST int rw_os_jobs_new(const int threads_max[RW_JOB_CLASSES], struct rw_jobs **ret_jobs);
/* Runs what is queued to its end and joins the workers. The loops that get the results must still
 * exist, but need not run. j may be NULL. */
void rw_os_jobs_free(struct rw_jobs *j);
