/* The beacon thread: asks the engine every few seconds whether it answers, and tells the server who
 * and how this runner is: at start, on change and every minute. It blocks on engine and server,
 * each with a short deadline. */
#pragma once

#include "runner/node.h"

struct beacon;

struct beacon *beacon_start(struct node *n);
void beacon_stop(struct beacon *b);
