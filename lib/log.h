/* Log lines of the programs: `2016-06-08T17:52:09.689Z info lease granted task=… runner=…` on
 * stderr, one write(2) a line, any thread. Library code returns errors and logs nothing above
 * debug; the loggers are the request dispatcher, the runner's loop and the mains. Never log tokens,
 * payloads or environments. */
#pragma once

#include "lib/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* log_set_level: lines below it are dropped. Call it before the first thread starts. Default
 * LOG_INFO. */
void log_set_level(enum log_level level);

/* log_level_parse: debug, info, warn or error. */
NODISCARD int log_level_parse(const char *text, enum log_level *ret_level, struct err *e);

/* log_line: `fmt` starts with the message and goes on with key=value pairs. Line breaks and other
 * control characters in the result are escaped; a line is cut at 2 KiB. */
void log_line(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
