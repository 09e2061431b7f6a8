/* Every ceiling on something that a peer chooses, in one place. Units are in the names.
 * What an operator may change is a default here and a flag in the program. */
#pragma once

/* HTTP */
#define BOUND_JSON_BODY_BYTES  (4u << 20)  /* a JSON request: a payload or a bulk of small tasks */
#define BOUND_JSON_DEPTH       16          /* nesting of a JSON request */
#define BOUND_JSON_REPLY_BYTES (32u << 20) /* a JSON answer that a client of ours reads */
#define BOUND_UPLOAD_BYTES     (512ull << 20) /* a code package, packed */
#define BOUND_URL_BYTES        8192
#define BOUND_LOG_APPEND_BYTES (1u << 20) /* one log append of a runner */
#define BOUND_LONG_POLL_S      60         /* how long a poll may be parked */

/* Values of tasks and codes */
#define BOUND_PAYLOAD_BYTES       (1u << 20) /* default of --max-payload */
#define BOUND_CONFIG_BYTES        (64u << 10)
#define BOUND_NAME_BYTES          255         /* code name, label, cluster */
#define BOUND_MSG_BYTES           (64u << 10) /* progress message, error text */
#define BOUND_CREDENTIAL_BYTES    (4u << 10)  /* a password for an image registry */
#define BOUND_REGISTRY_AUTH_BYTES (8u << 10)  /* credentials of one image registry */
#define BOUND_COMMAND_BYTES       (8u << 10)
#define BOUND_ENV_BYTES           (64u << 10) /* all env_vars of a code */
#define BOUND_TIMEOUT_S           86400       /* default of --max-timeout */
#define BOUND_TIMEOUT_DEFAULT_S   3600
#define BOUND_DELAY_S             604800
#define BOUND_RETRIES             10
#define BOUND_TASKS_PER_REQUEST   1000
#define BOUND_PER_PAGE            100
#define BOUND_PAGE                1000000
#define BOUND_INTERVAL_S          (100ll * 366 * 86400) /* between two firings of a schedule */
#define BOUND_JITTER_S            86400
#define BOUND_CATCH_UP            1000 /* missed firings that a schedule may make up for at once */
#define BOUND_FIRINGS_KEPT        1000 /* of one schedule */

/* Packages (zip) */
#define BOUND_ZIP_ENTRIES        100000
#define BOUND_ZIP_UNPACKED_BYTES (2ull << 30)
#define BOUND_ZIP_RATIO          1000 /* unpacked to packed, over 16 MiB unpacked */
#define BOUND_PATH_BYTES         4096
#define BOUND_DOTWORKER_BYTES    (256u << 10) /* a .worker file */
#define BOUND_DOTWORKER_DEPTH    16           /* nesting of its lists and hashes */

/* Logs */
#define BOUND_LOG_BYTES   (10ull << 30) /* a task's log: then a mark, and the rest is counted */
#define BOUND_SPOOL_BYTES (1ull << 30)  /* unshipped log on a runner, all its tasks together */

/* wrought-init frames (api/init.md) */
#define BOUND_FRAME_BYTES        (64u << 10) /* body of one frame */
#define BOUND_INIT_UNACKED_BYTES (1u << 20)  /* output that init keeps until it is acknowledged */
#define BOUND_INIT_DOC_BYTES     (64u << 20) /* a task document: payload, config, environment */

/* Engine */
#define BOUND_ENGINE_REPLY_BYTES (4u << 20)
#define BOUND_ENGINE_ERROR_BYTES (4u << 10) /* of an engine's text that we keep and show */
#define BOUND_ENGINE_JSON_DEPTH  32
#define BOUND_ENGINE_LINE_BYTES  (64u << 10) /* one progress line of a pull */
#define BOUND_ENGINE_HEAD_BYTES  (16u << 10) /* status line and headers of an upgrade */
#define BOUND_ATTACH_QUEUE_BYTES (8u << 20)  /* waiting for a container to read its stdin */
