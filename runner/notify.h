/* The service manager's notice protocol, sd_notify(3), without its library. */
#pragma once

/* notify: sends a state such as "READY=1" to NOTIFY_SOCKET; without that variable, or when nobody
 * listens, nothing happens. */
void notify(const char *state);
