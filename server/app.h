/* What the rooms of the server hand each other: made in main.c, passed to every handler. Nothing
 * here is global. All members stay as they are from start to stop. */
#pragma once

#include <stdint.h>

#include "api/task.h"
#include "lib/id.h"

struct auth;
struct followers;
struct health;
struct inbox;
struct logstore;
struct metrics;
struct packages;
struct store_readers;
struct vault;
struct writer;

struct app {
    struct writer *writer;
    struct store_readers *readers;
    struct auth *auth;
    struct logstore *logs;
    struct followers *followers;
    struct packages *packages;
    struct inbox *intake; /* the thread that checks and keeps uploads */
    struct vault *vault;
    struct health *health;
    struct metrics *metrics;
    struct task_limits limits;
    int64_t min_interval_s; /* of a schedule's run_every */
    int64_t max_upload_bytes;
    int64_t max_json_bytes; /* of a body that may carry payloads */
};
