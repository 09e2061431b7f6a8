/* The second mode of wrought-init. */
#include "runner/init/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "api/frame.h"
#include "runner/init/channel.h"
#include "runner/init/nft.h"

#include "lib/banned.h"

#define EXIT_FAILED 125

static int drop_capabilities(struct err *e)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    if (syscall(SYS_capset, &head, none) != 0)
        return err_os(e, ERR_IO, errno, "capabilities");
    return 0;
}

static int close_network(char *const *words, struct err *e)
{
    static struct net_rules rules;
    if (netpolicy_gather(words, &rules, e) || nft_apply(&rules, e))
        return e->code;
    return 0;
}

/* One frame. The pipe is empty and larger than that, so it is written at once. */
static void say(enum frame_type type, const void *body, uint32_t len)
{
    struct channel c;
    channel_init(&c, STDIN_FILENO, STDOUT_FILENO);
    channel_put(&c, type, 0, body, len);
    (void)channel_flush(&c); /* a runner that hears nothing gives the sandbox up */
    channel_release(&c);
}

static void say_failed(const struct err *e)
{
    AUTO(buf) struct buf text = BUF_INIT(4096);
    struct init_end end;
    init_end_init(&end);
    end.kind = END_SETUP_FAILED;
    end.os_errno = e->os_errno;
    snprintf(end.where, sizeof end.where, "%.*s", (int)sizeof end.where - 1, e->msg);
    init_end_encode(&end, &text);
    say(FRAME_END, text.data, (uint32_t)text.len);
}

static void say_ready(void)
{
    const uint8_t protocol[2] = {FRAME_PROTOCOL, 0};
    say(FRAME_HELLO, protocol, sizeof protocol);
}

/* PID 1 is sent no signal that it neither blocks nor handles; these two end it. */
static void wait_for_end(void)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    if (sigprocmask(SIG_BLOCK, &ends, NULL) == 0)
        while (sigwaitinfo(&ends, NULL) < 0 && errno == EINTR)
            continue;
}

int sandbox_main(char *const *words)
{
    struct err e = {0};
    if (close_network(words, &e) || drop_capabilities(&e)) {
        say_failed(&e);
        return EXIT_FAILED;
    }
    say_ready();
    wait_for_end();
    return 0;
}
