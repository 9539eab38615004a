/* Accepts orders, logs them, and waits for what comes: orders COUNT FILE. See README.md: what becomes of its lines after kill -9. */
#include <rollway/logger.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char settings[4200];
    if (argc != 3)
        return 2;
    snprintf(settings, sizeof(settings),
             "appender.file.type = file\n"
             "appender.file.path = %s\n",
             argv[2]);
    struct rollway_logger_options options = {.size = sizeof(options), .settings = settings};
    if (rollway_logger_start(&options) != 0) {
        fprintf(stderr, "orders: %s\n", rollway_logger_error());
        return 1;
    }
    for (int i = 0; i < atoi(argv[1]); i++)
        rollway_info("order accepted", "order", i, "total", i * 0.5);
    if (atoi(argv[1]) > 0)
        pause();
    return rollway_logger_close(5000) == 0 ? 0 : 1;
}
