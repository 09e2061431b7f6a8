/* What the net sandboxes of a runner (runner/sandbox.h) have in common: the words of their rules,
 * and which of them are alive, so that the janitor leaves these alone. Any thread; a leaf lock. */
#pragma once

#include <stdbool.h>

#include "runner/command.h"
#include "runner/node.h"

struct sandboxes;

/* sandboxes_new: ERR_USAGE when --allow-net or --deny-net name no addresses. */
NODISCARD int sandboxes_new(struct node *n, struct sandboxes **ret, struct err *e);
void sandboxes_free(struct sandboxes *sbs); /* NULL is fine */

struct node *sandboxes_node(const struct sandboxes *sbs);
/* sandboxes_rules: the operator's rules, as words for `wrought-init sandbox`. */
const struct words *sandboxes_rules(const struct sandboxes *sbs);

void sandboxes_add(struct sandboxes *sbs, const char *name);
void sandboxes_drop(struct sandboxes *sbs, const char *name);
bool sandboxes_has(struct sandboxes *sbs, const char *name);
