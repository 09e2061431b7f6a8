/* What a person reads: IronWorker's lines (ironworker-api §8), tables, rows, colours and ages.
 * Whatever comes from a server or a user is printed with its control characters made visible, so
 * that a label cannot drive the terminal. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/buf.h"
#include "lib/err.h"

/* out_group: "------> …"; out_line: OUT_INDENT and the text. `to` NULL: nothing is said. */
#define OUT_INDENT "        "
void out_group(FILE *to, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* out_step: "----->  …", as the Go client began its groups. */
void out_step(FILE *to, const char *fmt, ...) PRINTF_LIKE(2, 3);
void out_line(FILE *to, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* out_text: a line of its own. */
void out_text(FILE *to, const char *text);

/* out_json: an answer as it came, on one line. */
void out_json(FILE *to, const struct buf *text);

/* out_colours: whether `to` is a terminal that wants colours (NO_COLOR, TERM=dumb). */
bool out_colours(FILE *to);

/* out_flush: writes what is buffered; ERR_IO when the reader is gone or the disk is full. */
NODISCARD int out_flush(FILE *to, struct err *e);

/* ---- small words, each into a buffer of OUT_WORD bytes that is returned ---- */

#define OUT_WORD 32
const char *out_span(int64_t us, char out[OUT_WORD]); /* "850ms", "12s", "3m", "5h", "9d" */
const char *out_age(int64_t at_us, int64_t now_us, char out[OUT_WORD]); /* "-" when unset */
const char *out_time(int64_t at_us, char out[OUT_WORD]);   /* RFC 3339, "-" when unset */
const char *out_bytes(uint64_t bytes, char out[OUT_WORD]); /* "417 B", "1.5 MiB" */
