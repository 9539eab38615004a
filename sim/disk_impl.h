/* Inside of the simulated disk: shared by disk.c (operations), disk_state.c (what is durable). */
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "sim/disk.h"
#include "sim/rand.h"

#define SIM_SECTOR     512
#define SIM_BLOCK      4096
#define SIM_INODE_COST 512

/* A change of a file's content that no sync has covered yet. */
struct sim_change {
    struct rw_link link;
    bool is_truncate;
    uint64_t at; /* of the write; the new size of a truncate */
    size_t n;
    uint8_t data[];
};

struct sim_entry {
    struct rw_link link;
    struct sim_inode *inode;
    char *name;
};

/* A live mapping: a copy that writes keep up to date. */
struct sim_map {
    struct rw_link link;
    size_t n;
    uint8_t *p;
};

/* A file or directory. Inodes live until the disk is freed or restarted. */
struct sim_inode {
    struct rw_link link; /* of the disk's list */
    uint64_t id;
    bool is_dir;
    bool marked;            /* reachable, during the collection of garbage */
    bool evicted;           /* nobody has read or written since the cache was given up */
    struct rw_buf current;  /* what reads see */
    struct rw_buf durable;  /* what survives for sure */
    struct rw_link changes; /* sim_change, in order */
    struct rw_link maps;
    struct rw_link entries_current; /* sim_entry, of a directory */
    struct rw_link entries_durable;
    uint64_t allocated;
    unsigned names;   /* current entries that point here */
    unsigned handles; /* open files */
    struct sim_file *locked_by;
    int64_t mtime_ms;
};

/* One name in one directory. */
struct sim_place {
    struct sim_inode *dir;
    char *name; /* NULL: no place */
};

/* A name operation that no sync_dir has covered yet. `inode` appears at `to`; `from` disappears. */
struct sim_name_op {
    struct rw_link link;
    struct sim_place from, to;
    struct sim_inode *inode;
    bool marked; /* chosen: to be made durable, or dropped */
};

struct rw_sim_disk {
    struct rw_vfs vfs; /* first: the interface */
    struct rw_sim_rand rand;
    struct rw_sim_disk_options options;
    struct rw_sim_faults faults;
    struct rw_sim_faults seen; /* counts since armed, in the fields of the same names */
    struct rw_sim_disk_stats stats;
    bool cut;
    struct rw_link inodes;
    struct rw_link name_ops;
    struct sim_inode *root;
    uint64_t next_id;
    unsigned handles;
    void (*watch)(void *arg, enum rw_sim_op op, const char *path);
    void *watch_arg;
};

/* ---- disk_state.c ---- */

struct sim_inode *sim_inode_new(struct rw_sim_disk *d, bool is_dir);
void sim_inode_free(struct rw_sim_disk *d, struct sim_inode *i);
struct sim_entry *sim_find(struct rw_link *entries, const char *name);
void sim_entry_add(struct rw_link *entries, const char *name, struct sim_inode *inode);
void sim_entry_remove(struct sim_entry *e);

/* Overwrites part of b, growing it with zeros where needed. */
void sim_content_write(struct rw_buf *b, uint64_t at, const void *p, size_t n);
void sim_content_resize(struct rw_buf *b, uint64_t size);

void sim_change_add(struct sim_inode *i, bool is_truncate, uint64_t at, const void *p, size_t n);
/* What is on the disk and what waits to be written becomes what is read: what a failed sync lost is gone. */
void sim_changes_reread(struct sim_inode *i);
/* All changes of the file become durable. */
void sim_changes_commit(struct sim_inode *i);
/* Each change becomes durable, is lost, or is torn. */
void sim_changes_gamble(struct rw_sim_disk *d, struct sim_inode *i);

/* Remembers a name operation. A place without directory is none; names are copied. */
void sim_name_op_add(struct rw_sim_disk *d, struct sim_inode *from_dir, const char *from,
                     struct sim_inode *to_dir, const char *to, struct sim_inode *inode);
/* Name operations inside `dir`, and those they build upon, become durable. */
void sim_names_commit(struct rw_sim_disk *d, struct sim_inode *dir);
/* Each name operation becomes durable or is lost. */
void sim_names_gamble(struct rw_sim_disk *d);
/* The durable state becomes the current one; what nobody can reach any more is freed. */
void sim_reload(struct rw_sim_disk *d);
