/* wrought-init: PID 1 of every task container (api/init.md), and of net sandboxes (sandbox.h).
 * Never dumpable, so that the task, which has the same uid, can reach neither its memory nor its
 * descriptors; never blocked by its peer; never writes anything of its own into the runner's
 * channel but frames. Trouble at start goes to standard error, as one line. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "runner/init/procs.h"
#include "runner/init/sandbox.h"
#include "runner/init/session.h"
#include "lib/banned.h"

#define FIRST_OWN_FD 3

/* Signals that are passed on to the task. */
static const int forwarded[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

static void die(const char *what)
{
    fprintf(stderr, "wrought-init: %s: %s\n", what, strerror(errno));
    exit(125);
}

/* Descriptors that leaked in from whoever started us are not for the task. Old kernels and filters
 * lack the call; the engine leaks none, so that is no reason to refuse. */
static void close_inherited(void)
{
    (void)syscall(SYS_close_range, FIRST_OWN_FD, ~0u, 0);
}

/* All signals are blocked for good: those we handle come through the descriptor, and PID 1 has no
 * use for the rest. SIGPIPE becomes EPIPE by that, too. */
static int open_signals(void)
{
    sigset_t all, ours;
    sigfillset(&all);
    sigemptyset(&ours);
    sigaddset(&ours, SIGCHLD);
    for (size_t i = 0; i < ARRAY_LEN(forwarded); i++)
        sigaddset(&ours, forwarded[i]);
    if (sigprocmask(SIG_SETMASK, &all, NULL) != 0)
        return -1;
    return signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void take_signals(struct session *s, int fd)
{
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD)
            session_on_child(s);
        else
            session_on_signal(s, (int)info.ssi_signo);
    }
}

enum slot { SLOT_IN, SLOT_OUT, SLOT_SIGNALS, SLOT_STDOUT, SLOT_STDERR, SLOTS };

/* A descriptor of -1 is not polled. */
static void fill_slots(const struct session *s, int signals, struct pollfd slots[SLOTS])
{
    bool room = session_wants_output(s);
    bool sending = !channel_idle(&s->channel);
    slots[SLOT_IN] = (struct pollfd){s->channel.in_open ? s->channel.in : -1, POLLIN, 0};
    slots[SLOT_OUT] = (struct pollfd){sending ? s->channel.out : -1, POLLOUT, 0};
    slots[SLOT_SIGNALS] = (struct pollfd){signals, POLLIN, 0};
    slots[SLOT_STDOUT] = (struct pollfd){room ? s->pipes[0] : -1, POLLIN, 0};
    slots[SLOT_STDERR] = (struct pollfd){room ? s->pipes[1] : -1, POLLIN, 0};
}

static void run(struct session *s, int signals)
{
    struct pollfd slots[SLOTS];
    for (session_advance(s); !s->done; session_advance(s)) {
        fill_slots(s, signals, slots);
        if (poll(slots, SLOTS, session_wait_ms(s)) < 0 && errno != EINTR)
            die("poll");
        if (slots[SLOT_IN].revents)
            session_on_frames(s);
        for (int i = 0; i < SESSION_STREAMS; i++) {
            if (slots[SLOT_STDOUT + i].revents)
                session_on_output(s, i);
        }
        if (slots[SLOT_SIGNALS].revents)
            take_signals(s, signals);
        session_on_time(s);
    }
}

int main(int argc, char **argv)
{
    struct session s;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        die("cannot become non-dumpable");
    close_inherited();
    if (argc > 1 && strcmp(argv[1], "sandbox") == 0)
        return sandbox_main(argv + 2);
    if (!procs_adopt())
        die("cannot become a subreaper");
    int signals = open_signals();
    if (signals < 0)
        die("cannot open signals");
    session_init(&s, STDIN_FILENO, STDOUT_FILENO);
    run(&s, signals);
    session_release(&s);
    close(signals);
    return 0;
}
