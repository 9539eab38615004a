/* Log directories for the benchmarks of the library, and plain files beside them. */
#pragma once

#include "rollway/log.h"
#include "rounds.h"

/* A new empty log DIR/bench-log; whatever was there is removed first. */
struct rollway_log *bench_log_open(const struct bench *b,
                                   const struct rollway_log_options *options);
/* Closes and removes it. */
void bench_log_close(const struct bench *b, struct rollway_log *log);
/* Opens it again, to read. */
struct rollway_log *bench_log_reopen(const struct bench *b);
/* A new empty file DIR/bench-file, open for reading and writing. */
int bench_file_open(const struct bench *b);
void bench_file_close(const struct bench *b, int fd);
/* A new empty directory DIR/bench-dir, whose path goes to `path`, and its end with all files in it. */
void bench_dir_new(const struct bench *b, char *path, size_t n);
void bench_dir_remove(const char *path);
/* Size of the files in the log's directory whose names end so. */
uint64_t bench_log_bytes(const struct bench *b, const char *suffix);
/* Opens the first such file for reading. */
int bench_log_file(const struct bench *b, const char *suffix);
