/* The two clocks. Stored time is UTC microseconds since 1970 (int64); deadlines are monotonic
 * milliseconds. Nothing else in the project asks the system for the time. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

int64_t clock_now_us(void);  /* UTC; may jump */
int64_t clock_mono_ms(void); /* CLOCK_MONOTONIC; never goes back */

/* Size of a buffer for clock_format: "2016-06-08T17:52:09.689Z" and its NUL. */
#define CLOCK_TEXT 32

/* clock_format: RFC 3339 in UTC with "Z"; no fraction when the milliseconds are 0, else exactly
 * three digits (ironworker-api R5). 0 gives the "unset" time 0001-01-01T00:00:00Z (R6). Returns
 * `out`. */
const char *clock_format(int64_t us, char out[CLOCK_TEXT]);

/* clock_parse: RFC 3339 with "Z" or a numeric offset and an optional fraction (1 to 9 digits).
 * The unset time parses as 0. ERR_INVALID says what is wrong with `text`. */
NODISCARD int clock_parse(const char *text, int64_t *ret_us, struct err *e);
