/*
 * A program that does what programs do to libraries in them: lives HOW SETTINGS. lives.py knows what is to come of it. Lines are
 * "n=0", "n=1" and so on; "who" says which process it was.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <rollway/logger.h>

static void say(const char *who, int from, int to)
{
    for (int n = from; n < to; n++)
        rollway_info("line", "n", n, "who", who);
}

/* Daemons close all descriptors, and open files of their own at the same numbers. */
static void close_all(void)
{
    char own[8][32];
    say("before", 0, 10);
    rollway_logger_flush(5000);
    closefrom(3);
    for (int i = 0; i < 8; i++) {
        snprintf(own[i], sizeof(own[i]), "own.%d", i);
        if (open(own[i], O_RDWR | O_CREAT | O_TRUNC, 0600) < 0)
            exit(3);
    }
    say("after", 10, 20);
    rollway_logger_flush(5000);
    for (int fd = 3; fd < 11; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            exit(4); /* the library has closed what it did not open */
}

static void change_folder(void)
{
    say("before", 0, 10);
    rollway_logger_flush(5000);
    if (chdir("/") != 0)
        exit(3);
    rollway_logger_reopen();
    if (rollway_logger_reload() != 0)
        exit(4);
    say("after", 10, 20);
}

static void become_daemon(void)
{
    say("parent", 0, 10);
    if (daemon(1, 1) != 0)
        exit(3);
    say("child", 10, 20);
    sleep(2);
}

/* The child lives on, and has nothing to say. */
static void killed_with_child(void)
{
    say("parent", 0, 10);
    if (fork() == 0) {
        close(STDOUT_FILENO); /* whoever reads from us does not wait for this one */
        close(STDERR_FILENO);
        alarm(5);
        pause();
    }
    kill(getpid(), SIGKILL);
}

/* A child that ends the logger it has not used does not touch its parent's. */
static void child_closes(void)
{
    say("parent", 0, 10);
    pid_t child = fork();
    if (child == 0)
        _exit(rollway_logger_flush(1000) == 0 && rollway_logger_close(1000) == 0 ? 0 : 1);
    int status = 1;
    if (waitpid(child, &status, 0) != child || status != 0)
        exit(3);
    say("parent", 10, 20);
    kill(getpid(), SIGKILL);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *how;
        void (*live)(void);
    } lives[] = {{"close_all", close_all},
                 {"change_folder", change_folder},
                 {"daemon", become_daemon},
                 {"killed_with_child", killed_with_child},
                 {"child_closes", child_closes}};
    if (argc != 3)
        return 2;
    struct rollway_logger_options options = {.size = sizeof(options), .settings = argv[2]};
    if (rollway_logger_start(&options) != 0) {
        fprintf(stderr, "%s\n", rollway_logger_error());
        return 1;
    }
    for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++)
        if (strcmp(lives[i].how, argv[1]) == 0)
            lives[i].live();
    if (strcmp(argv[1], "plain") == 0)
        say("plain", 0, 20);
    return rollway_logger_close(5000) == 0 ? 0 : 5;
}
