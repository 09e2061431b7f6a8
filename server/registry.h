/* Names of image registries: which one an image is of, and which one a client means. Pure
 * functions. Any thread. */
#pragma once

#include <stdbool.h>

#define REGISTRY_BYTES 256 /* with the NUL */

/* registry_of_image: "host[:port]" of a reference as Docker reads it; "docker.io" for one without.
 * False when it is too long. */
bool registry_of_image(const char *image, char out[REGISTRY_BYTES]);
/* registry_of_address: the same of the server address that clients send with credentials: perhaps a
 * URL, or one of the names of Docker's own. False when it is too long, or no host and port. */
bool registry_of_address(const char *address, char out[REGISTRY_BYTES]);
