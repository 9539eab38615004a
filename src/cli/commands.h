/* One line per command; each is defined in the file named after it. */
#pragma once

#include "cli/command.h"

extern const struct rw_command rw_cmd_dev;                  /* cmd_dev.c */
extern const struct rw_command rw_cmd_server;               /* cmd_server.c */
extern const struct rw_command rw_cmd_produce;              /* cmd_produce.c */
extern const struct rw_command rw_cmd_pipe;                 /* cmd_pipe.c */
extern const struct rw_command rw_cmd_consume;              /* cmd_consume.c */
extern const struct rw_command rw_cmd_topic_create;         /* cmd_topic.c */
extern const struct rw_command rw_cmd_topic_list;           /* cmd_topic_describe.c */
extern const struct rw_command rw_cmd_topic_describe;       /* cmd_topic_describe.c */
extern const struct rw_command rw_cmd_topic_alter;          /* cmd_topic_change.c */
extern const struct rw_command rw_cmd_topic_add_partitions; /* cmd_topic.c */
extern const struct rw_command rw_cmd_topic_delete;         /* cmd_topic.c */
extern const struct rw_command rw_cmd_topic_trim;           /* cmd_topic_change.c */
extern const struct rw_command rw_cmd_cluster_info;         /* cmd_cluster.c */
extern const struct rw_command rw_cmd_cluster_health;       /* cmd_cluster.c */
extern const struct rw_command rw_cmd_cluster_config_get;   /* cmd_cluster.c */
extern const struct rw_command rw_cmd_cluster_config_set;   /* cmd_cluster.c */
extern const struct rw_command rw_cmd_log_backup;           /* log_copy.c */
extern const struct rw_command rw_cmd_log_dump;             /* log_dump.c */
extern const struct rw_command rw_cmd_log_export;           /* log_export.c */
extern const struct rw_command rw_cmd_log_import;           /* log_import.c */
extern const struct rw_command rw_cmd_log_reindex;          /* log_edit.c */
extern const struct rw_command rw_cmd_log_restore;          /* log_copy.c */
extern const struct rw_command rw_cmd_log_truncate;         /* log_edit.c */
extern const struct rw_command rw_cmd_log_verify;           /* log_verify.c */
extern const struct rw_command rw_cmd_dlq_list;             /* cmd_dlq.c */
extern const struct rw_command rw_cmd_dlq_show;             /* cmd_dlq.c */
extern const struct rw_command rw_cmd_dlq_replay;           /* cmd_dlq_replay.c */
extern const struct rw_command rw_cmd_logger;               /* cmd_logger.c */
extern const struct rw_command rw_cmd_logger_check;         /* cmd_logger_check.c */
extern const struct rw_command rw_cmd_logger_rescue;        /* cmd_logger_rescue.c */
extern const struct rw_command rw_cmd_completion;           /* cmd_completion.c */
extern const struct rw_command rw_cmd_help;                 /* cmd_help.c */
extern const struct rw_command rw_cmd_version;              /* cmd_version.c */
extern const struct rw_command rw_cmd_complete_hidden;      /* cmd_completion.c */
extern const struct rw_command rw_cmd_config_hidden;        /* cmd_help.c */
extern const struct rw_command rw_cmd_man_hidden;           /* cmd_help.c */
