/* Appends a few records to a log and reads everything back: log_append_read DIR */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <rollway/log.h>

int main(int argc, char **argv)
{
    struct rollway_log *log;
    struct rollway_cursor *cursor;
    struct rollway_record record = {0};
    if (argc != 2 || rollway_log_open(argv[1], NULL, &log) != ROLLWAY_OK) {
        fprintf(stderr, "usage: log_append_read DIR %s\n", rollway_log_error(NULL));
        return 1;
    }
    for (int i = 0; i < 3; i++) {
        char text[32];
        snprintf(text, sizeof(text), "hello %d", i);
        record = (struct rollway_record){.value = text, .value_size = strlen(text)};
        if (rollway_log_append(log, &record, 1, NULL) != ROLLWAY_OK) /* durable on return */
            fprintf(stderr, "append: %s\n", rollway_log_error(log));
    }
    int rc = rollway_cursor_new(log, rollway_log_start_offset(log), &cursor);
    if (rc == ROLLWAY_OK) {
        while ((rc = rollway_cursor_next(cursor, &record)) == 1)
            printf("%" PRId64 "\t%.*s\n", record.offset, (int)record.value_size,
                   (const char *)record.value);
        rollway_cursor_free(cursor);
    }
    if (rc < 0)
        fprintf(stderr, "read: %s\n", rollway_log_error(log));
    return rollway_log_close(log) == ROLLWAY_OK && rc == ROLLWAY_OK ? 0 : 1;
}
