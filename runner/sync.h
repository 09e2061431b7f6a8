/* Waiting with deadlines on the monotonic clock, and a wake-up that poll() understands. */
#pragma once

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static inline void sync_init(pthread_mutex_t *mu, pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    pthread_mutex_init(mu, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

static inline void sync_release(pthread_mutex_t *mu, pthread_cond_t *cond)
{
    pthread_cond_destroy(cond);
    pthread_mutex_destroy(mu);
}

/* sync_wait: like pthread_cond_wait, but no longer than until `deadline_ms` (clock_mono_ms). */
static inline void sync_wait(pthread_cond_t *cond, pthread_mutex_t *mu, int64_t deadline_ms)
{
    struct timespec at = {deadline_ms / 1000, (deadline_ms % 1000) * 1000000};
    (void)pthread_cond_timedwait(cond, mu, &at); /* the caller looks at its condition anyway */
}

static inline void wake_raise(int event_fd)
{
    uint64_t one = 1;
    while (write(event_fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

/* wake_lower: forgets what was raised; the fd is non-blocking. */
static inline void wake_lower(int event_fd)
{
    uint64_t n;
    while (read(event_fd, &n, sizeof n) < 0 && errno == EINTR)
        continue;
}
