/* What --help and `help` print, from the table of verbs. Main thread. */
#pragma once

#include "cli/command.h"
#include "lib/buf.h"

#define HELP_BYTES (64u << 10)

void command_help(const char *program, const struct command *c, struct buf *out);
void commands_help(const char *program, struct buf *out);
