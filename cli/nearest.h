/* The word that somebody may have meant. Any thread. */
#pragma once

#include <stddef.h>

/* nearest: the word closest to `typed` among name_at(0), name_at(1) … up to the first NULL; NULL
 * when none is near. */
const char *nearest(const char *typed, const char *(*name_at)(size_t i));
