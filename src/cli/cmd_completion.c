/*
 * rollway completion SHELL prints a script for the shell. The scripts hold no words of their own: they
 * ask the hidden `rollway __complete WORD...`, which knows the command table and, for topic names, asks
 * the broker (at most COMPLETE_US, or a key press would hang).
 */
#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "cli/complete.h"
#include "client/cluster.h"
#include "os/dial.h"
#include "os/os.h"

#define COMPLETE_US 200000

static const char bash_script[] =
    "# bash completion for rollway; put this into ~/.bashrc:\n"
    "#   source <(rollway completion bash)\n"
    "_rollway() {\n"
    "    local line cur=${COMP_WORDS[COMP_CWORD]} words=(\"${COMP_WORDS[@]:1:COMP_CWORD}\")\n"
    "    COMPREPLY=()\n"
    "    compopt +o default 2>/dev/null\n"
    "    while IFS= read -r line; do\n"
    "        case $line in\n"
    "        :file|:dir) compopt -o default 2>/dev/null ;;\n"
    "        *) COMPREPLY+=(\"${line%%$'\\t'*}\") ;;\n"
    "        esac\n"
    "    done < <(rollway __complete \"${words[@]}\" 2>/dev/null)\n"
    "}\n"
    "complete -F _rollway rollway\n";

static const char zsh_script[] =
    "#compdef rollway\n"
    "# zsh completion for rollway; put this into ~/.zshrc, after compinit:\n"
    "#   source <(rollway completion zsh)\n"
    "_rollway() {\n"
    "    local line\n"
    "    local -a found\n"
    "    while IFS= read -r line; do\n"
    "        case $line in\n"
    "        :file|:dir) _files ;;\n"
    "        *$'\\t'*) found+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\") ;;\n"
    "        *) found+=(\"${line//:/\\\\:}\") ;;\n"
    "        esac\n"
    "    done < <(rollway __complete \"${(@)words[2,CURRENT]}\" 2>/dev/null)\n"
    "    (( $#found )) && _describe rollway found\n"
    "}\n"
    "if [[ $funcstack[1] == _rollway ]]; then\n"
    "    _rollway\n"
    "elif (( $+functions[compdef] )); then\n"
    "    compdef _rollway rollway\n"
    "fi\n";

static const char fish_script[] =
    "# fish completion for rollway; put this into ~/.config/fish/config.fish:\n"
    "#   rollway completion fish | source\n"
    "function __rollway_complete\n"
    "    set -l words (commandline -opc)[2..-1] (commandline -ct)\n"
    "    for line in (rollway __complete $words 2>/dev/null)\n"
    "        switch $line\n"
    "            case :file :dir\n"
    "                __fish_complete_path (commandline -ct)\n"
    "            case '*'\n"
    "                echo $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c rollway -f -a '(__rollway_complete)'\n";

static int run_completion(struct rw_cli *cli)
{
    const char *shell = rw_cli_operand(cli, 0);
    const char *script = strcmp(shell, "bash") == 0   ? bash_script
                         : strcmp(shell, "zsh") == 0  ? zsh_script
                         : strcmp(shell, "fish") == 0 ? fish_script
                                                      : NULL;
    if (!script)
        return rw_cli_usage(cli, "no completion for \"%s\": bash, zsh or fish", shell);
    rw_buf_add_str(rw_cli_out(cli), script);
    return RW_EXIT_OK;
}

static const struct rw_example completion_examples[] = {
    {"source <(rollway completion bash)", "complete in this shell"}, {NULL, NULL}};

const struct rw_command rw_cmd_completion = {
    .name = "completion",
    .operands = "SHELL",
    .operands_complete = "bash|zsh|fish",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "print a completion script for bash, zsh or fish",
    .text =
        "The script asks this program for what may come next, so that it never goes stale. Topic "
        "names come from the broker.",
    .examples = completion_examples,
    .local = true,
    .run = run_completion,
};

/* What was typed as --brokers counts, then the environment. */
static const char *typed_brokers(const struct rw_cli *cli)
{
    const char *found = getenv("ROLLWAY_BROKERS");
    for (int i = 0; i + 1 < rw_cli_operand_count(cli); i++) {
        const char *word = rw_cli_operand(cli, i);
        if (strcmp(word, "-b") == 0 || strcmp(word, "--brokers") == 0)
            found = rw_cli_operand(cli, i + 1);
        else if (strncmp(word, "--brokers=", 10) == 0)
            found = word + 10;
    }
    return found && *found ? found : NULL;
}

/* Topic names that begin with what is typed. Failures are silent: there is nothing to offer then. */
static void offer_topics(struct rw_cli *cli, const char *prefix)
{
    struct rw_dialer dialer;
    struct rw_cluster_options o;
    struct rw_cluster *cluster;
    int n = rw_cli_operand_count(cli);
    const char *word = n ? rw_cli_operand(cli, n - 1) + strlen(prefix) : "";
    const char *brokers = typed_brokers(cli);
    rw_os_dialer_init(&dialer);
    rw_cluster_options_init(&o);
    o.connect_timeout_us = o.request_timeout_us = COMPLETE_US;
    o.brokers = brokers ? brokers : o.brokers;
    if (rw_cluster_new(rw_os_env(), &dialer, &o, &cluster) != RW_OK)
        return;
    cluster->deadline_us = rw_cluster_now(cluster) + COMPLETE_US;
    if (rw_cluster_refresh(cluster, NULL, -1, false, NULL) == RW_OK)
        for (int i = 0; i < cluster->n_topics; i++)
            if (strncmp(cluster->topics[i]->name, word, strlen(word)) == 0)
                rw_buf_printf(rw_cli_out(cli), "%s%s\n", prefix, cluster->topics[i]->name);
    rw_cluster_free(cluster);
}

static int run_complete(struct rw_cli *cli)
{
    const char *want;
    char prefix[64];
    struct rw_buf *out = rw_cli_out(cli);
    rw_complete(out, cli->table, rw_cli_operand_count(cli), cli->parsed.operands, &want, prefix);
    if (want && (strcmp(want, "file") == 0 || strcmp(want, "dir") == 0))
        rw_buf_printf(out, ":%s\n", want);
    if (want && strcmp(want, "topic") == 0)
        offer_topics(cli, prefix);
    return RW_EXIT_OK;
}

const struct rw_command rw_cmd_complete_hidden = {
    .name = "__complete",
    .operands = "WORD...",
    .operands_max = -1,
    .summary = "print what may come next on the command line",
    .local = true,
    .raw = true,
    .run = run_complete,
};
