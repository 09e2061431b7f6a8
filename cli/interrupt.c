/* One signalfd; without interrupt_watch it stays closed and signals end the process as always. */
#include "cli/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/clock.h"

#include "lib/banned.h"

static int signals = -1;
static bool seen;

int interrupt_watch(struct err *e)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (signals >= 0)
        return 0;
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return err_os(e, ERR_INTERNAL, errno, "block signals");
    signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0)
        return err_os(e, ERR_INTERNAL, errno, "signalfd");
    return 0;
}

bool interrupt_wait(int ms)
{
    int64_t end_ms = clock_mono_ms() + ms;
    struct pollfd p = {.fd = signals, .events = POLLIN}; /* an fd of -1 is waited past */
    for (int64_t left = ms; left >= 0 && !seen; left = end_ms - clock_mono_ms()) {
        if (poll(&p, 1, (int)left) > 0) {
            struct signalfd_siginfo info;
            seen = read(signals, &info, sizeof(info)) == sizeof(info);
        } else if (left == 0) {
            break;
        }
    }
    return seen;
}

bool interrupt_seen(void)
{
    return interrupt_wait(0);
}
