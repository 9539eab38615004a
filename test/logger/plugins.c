/*
 * Call sites in plugins that are loaded and unloaded: plugins PLUGIN PLUGIN. What they have logged is written, switches reach those that are
 * there and none that is gone, and nothing is followed into what was unloaded. Prints what is wrong.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <rollway/logger.h>

static int wrong(const char *what, long wanted, long got)
{
    if (wanted == got)
        return 0;
    printf("%s: wanted %ld, got %ld\n", what, wanted, got);
    return 1;
}

static int round_of(const char *path, int n)
{
    void *plugin = dlopen(path, RTLD_NOW);
    if (!plugin) {
        printf("%s\n", dlerror());
        return 1;
    }
    void *found = dlsym(plugin, "plugin_log");
    void (*log)(int);
    memcpy(&log, &found, sizeof(log));
    log(n);
    int failed = wrong("switched on", 2, rollway_logger_switch("*plugin.c", NULL, 1));
    dlclose(plugin);
    return failed +
           wrong("of a plugin that is gone", 0, rollway_logger_switch("*plugin.c", NULL, -1)) +
           wrong("of the program", 1, rollway_logger_switch("*plugins.c", NULL, -1));
}

int main(int argc, char **argv)
{
    enum { ROUNDS = 40 };
    static char lines[65536];
    int failed = argc != 3;
    struct rollway_logger_options options = {
        .size = sizeof(options), .settings = "rings.dir = none\nappender.kept.type = memory\n"};
    for (int start = 0; start < 2 && !failed; start++) {
        failed = rollway_logger_start(&options) != 0;
        rollway_info("from the program");
        for (int i = 0; i < ROUNDS && !failed; i++)
            failed = round_of(argv[1 + i % 2], i);
        rollway_logger_flush(5000);
        size_t n = 0, count = 0;
        rollway_logger_memory("kept", lines, sizeof(lines) - 1, &n);
        for (size_t i = 0; i < n; i++)
            count += lines[i] == '\n';
        failed += wrong("lines", 1 + 2 * ROUNDS, (long)count);
        failed += wrong("not written", 0, (long)rollway_logger_close(5000));
    }
    return failed != 0;
}
