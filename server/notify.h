/* Words to the service manager (sd_notify(3)), without its library. */
#pragma once

/* notify_manager: sends `state`, such as "READY=1", to $NOTIFY_SOCKET; does nothing without one. A
 * manager that does not listen is no reason to fail. One thread. */
void notify_manager(const char *state);
