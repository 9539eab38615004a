/* Intrusive doubly linked list with a sentinel head. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct rw_link {
    struct rw_link *next, *prev;
};

#define RW_CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void rw_list_init(struct rw_link *head)
{
    head->next = head->prev = head;
}

static inline bool rw_list_empty(const struct rw_link *head)
{
    return head->next == head;
}

static inline void rw_list_insert_before(struct rw_link *at, struct rw_link *item)
{
    item->prev = at->prev;
    item->next = at;
    at->prev->next = item;
    at->prev = item;
}

/* At the tail: the list is a queue. */
static inline void rw_list_push(struct rw_link *head, struct rw_link *item)
{
    rw_list_insert_before(head, item);
}

/* Safe to call twice: a removed item points to itself. */
static inline void rw_list_remove(struct rw_link *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    item->next = item->prev = item;
}

static inline struct rw_link *rw_list_pop(struct rw_link *head)
{
    struct rw_link *item = head->next;
    if (item == head)
        return NULL;
    rw_list_remove(item);
    return item;
}

/* All of `from` in their order, at the tail; `from` is empty then. */
static inline void rw_list_push_all(struct rw_link *head, struct rw_link *from)
{
    if (rw_list_empty(from))
        return;
    from->next->prev = head->prev;
    head->prev->next = from->next;
    from->prev->next = head;
    head->prev = from->prev;
    rw_list_init(from);
}

#define RW_LIST_EACH(it, head) for (struct rw_link *it = (head)->next; it != (head); it = it->next)
#define RW_LIST_EACH_SAFE(it, tmp, head)                                                           \
    for (struct rw_link *it = (head)->next, *tmp = it->next; it != (head); it = tmp, tmp = it->next)
