/* A plugin that logs; plugins.c loads and unloads it. */
#include <rollway/logger.h>

void plugin_log(int n);
void plugin_log(int n)
{
    rollway_info("from a plugin", "n", n, "which", PLUGIN);
    rollway_infof("formatted in a plugin: %d %s", n, PLUGIN);
}
