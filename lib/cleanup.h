/* Scope-bound ownership: `autofree char *s = NULL;` is freed when the scope ends; TAKE(s) hands it
 * over. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_p(void *p)
{
    free(*(void **)p);
}

static inline void cleanup_close_p(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void cleanup_fclose_p(FILE **f)
{
    if (*f)
        fclose(*f);
}

#define autofree   __attribute__((cleanup(cleanup_free_p)))
#define autoclose  __attribute__((cleanup(cleanup_close_p)))  /* int fd = -1 */
#define autofclose __attribute__((cleanup(cleanup_fclose_p))) /* FILE *f = NULL */

/* AUTO(buf) struct buf b = …;  calls buf_release(&b) at the end of the scope. */
#define AUTO(type) __attribute__((cleanup(type##_release)))

/* TAKE: the value of pointer `p`, which is NULL from then on. */
#define TAKE(p)                                                                                    \
    ({                                                                                             \
        __typeof__(p) take_tmp = (p);                                                              \
        (p) = NULL;                                                                                \
        take_tmp;                                                                                  \
    })

/* TAKE_FD: the descriptor in `fd`, which is -1 from then on. */
#define TAKE_FD(fd)                                                                                \
    ({                                                                                             \
        int take_tmp = (fd);                                                                       \
        (fd) = -1;                                                                                 \
        take_tmp;                                                                                  \
    })

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
