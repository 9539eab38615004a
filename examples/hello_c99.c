/* Logging from C99: the calls that end in f take a printf format. The program's output is its log. */
#include <rollway/logger.h>
#include <string.h>

int main(void)
{
    struct rollway_logger_options options;
    memset(&options, 0, sizeof(options));
    options.size = sizeof(options);
    options.settings = "appender.out.type = console\n"
                       "appender.out.stream = stdout\n"
                       "appender.out.format = %p %m%n\n";
    if (rollway_logger_start(&options) != 0)
        rollway_warnf("logging to standard error: %s", rollway_logger_error());
    rollway_infof("hello from C%d", 99);
    rollway_debugf("not seen: the level is info");
    return rollway_logger_close(5000) == 0 ? 0 : 1;
}
