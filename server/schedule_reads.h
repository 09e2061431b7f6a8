/* Schedules and firings as clients read them: part of the store's interface (server/store.h), with
 * a reader of any thread. */
#pragma once

#include "api/schedule.h"
#include "server/store.h"

struct store_schedule_filter {
    const char *code_name, *label; /* "" or NULL = any */
};
NODISCARD int store_schedule_find(struct store *s, int64_t project, const char *id,
                                  struct schedule *ret, struct err *e);
/* store_schedule_list: newest first, payloads over 64 KiB left out. store_firing_list: latest
 * first. */
NODISCARD int store_schedule_list(struct store *s, int64_t project,
                                  const struct store_schedule_filter *f, struct store_page page,
                                  struct schedule **ret, size_t *ret_n, struct err *e);
NODISCARD int store_firing_list(struct store *s, int64_t project, const char *id,
                                struct store_page page, struct firing **ret, size_t *ret_n,
                                struct err *e);
