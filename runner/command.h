/* What a task executes: its image and its argv, from what its revision says (ironworker-api §6).
 * Pure functions, any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/runner.h"
#include "lib/err.h"
#include "runner/engine/engine.h"

/* A growing, NULL-terminated list of owned strings. */
struct words {
    char **v; /* NULL while empty; see words_list */
    size_t n;
};
void words_release(struct words *w);
void words_add(struct words *w, const char *word);
const char *const *words_list(const struct words *w); /* never NULL */

/* words_split: as a POSIX shell splits a simple command: blanks, '…', "…" and backslashes, but no
 * expansion and no operators. ERR_INVALID for an open quote. Nothing is run by a shell, so that a
 * command that does not exist is told apart by errno. Source: POSIX.1-2017 XCU 2.2 "Quoting". */
NODISCARD int words_split(const char *text, struct words *ret, struct err *e);

#define COMMAND_DIR          "/task/" /* with its slash: the Ruby runner joins without one */
#define COMMAND_PAYLOAD_FILE COMMAND_DIR "task_payload.json"
#define COMMAND_CONFIG_FILE  COMMAND_DIR "task_config.json"

#define STACK_TAG "wrought/" /* and the stack's name: a local image, which is never pulled */

/* command_image: the image reference that the task runs in, appended to `ret`. *ret_is_stack:
 * it is a local stack (wrought/NAME), which is never pulled. ERR_INVALID when the revision names
 * neither an image nor a stack nor a runtime that has one (api/stack.h). */
NODISCARD int command_image(const struct grant *g, struct buf *ret, bool *ret_is_stack,
                            struct err *e);

/* command_argv: the command line of one of the four package kinds:
 *   A  package and file_name         RUNTIME FILE ARGS
 *   B  stack and command             COMMAND ARGS
 *   C  image and package             COMMAND ARGS, or the image's own command and ARGS
 *   D  image alone                   COMMAND, or the image's own command
 * Without a runtime the file's suffix says it; a file of no known kind is executed itself.
 * In an image, COMMAND takes the place of Cmd and comes after its Entrypoint, as in `docker run`.
 * ERR_INVALID when the revision does not say what to run, or runs an unknown runtime. */
NODISCARD int command_argv(const struct grant *g, const struct engine_image *image,
                           struct words *ret, struct err *e);

/* command_dir: the working directory: /task for everything that has a package or a stack; for an
 * image alone the image's own, or /task when it names none. */
const char *command_dir(const struct grant *g, const struct engine_image *image);
