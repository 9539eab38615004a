/* Logging from C11: fields whose types the compiler knows. The program's output is its log. */
#include <errno.h>
#include <fcntl.h>
#include <rollway/logger.h>

int main(void)
{
    struct rollway_logger_options options = {
        .size = sizeof(options),
        .settings = "appender.out.type = console\n"
                    "appender.out.stream = stdout\n"
                    "appender.out.format = %-5p [%c] %m%k%n\n",
    };
    if (rollway_logger_start(&options) != 0)
        rollway_warn("logging to standard error", "why", rollway_logger_error());

    rollway_context_set("job", "7f"); /* in every line of this thread */
    rollway_info("order accepted", "user", 7, "total", 12.5, "paid", (_Bool)1);
    if (open("/no/such/file", O_RDONLY) < 0)
        rollway_to(rollway_logger_get("disk"), ROLLWAY_ERROR, "open", ROLLWAY_ERRNO);
    return rollway_logger_close(5000) == 0 ? 0 : 1;
}
