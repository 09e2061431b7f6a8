/* The life of one container, as in api/init.md: waiting for the task, running it, ended. The loop
 * tells the session what happened; the session never waits. Owner: main. One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "api/frame.h"
#include "lib/buf.h"
#include "runner/init/channel.h"
#include "runner/init/disk.h"
#include "runner/init/output.h"
#include "runner/init/task.h"

/* How far the ending of a running task is. Each step takes the one before for granted. */
enum ending {
    ENDING_NOT = 0,    /* the command runs */
    ENDING_ASKED = 1,  /* the command has ended: the stragglers got SIGTERM */
    ENDING_KILLED = 2, /* and SIGKILL */
    ENDING_DRAIN = 3,  /* no process is left; what they wrote is still in the pipes */
};

#define SESSION_STREAMS 2

struct session {
    struct channel channel;
    struct output output;
    struct disk disk;
    struct task task; /* its strings, while it runs */
    struct buf doc;   /* the document so far */
    enum init_phase phase;
    enum ending ending;
    pid_t command;
    int status;                 /* wait status of the command */
    int pipes[SESSION_STREAMS]; /* the task's output by stream number; -1 = closed */
    int64_t kill_at_ms;         /* ENDING_ASKED: when patience ends */
    bool started;               /* STARTED is due in an answer to RESUME */
    bool disk_full;
    bool end_sent;
    bool done; /* nothing more to do: exit */
    struct init_end end;
};

/* session_init: says HELLO. `in`, `out`: the runner's pipes, borrowed. */
void session_init(struct session *s, int in, int out);
void session_release(struct session *s);

/* What happened. */
void session_on_frames(struct session *s);             /* the channel can be read */
void session_on_child(struct session *s);              /* some process ended */
void session_on_signal(struct session *s, int n);      /* somebody signalled init */
void session_on_output(struct session *s, int stream); /* a pipe of the task can be read */
void session_on_time(struct session *s);               /* a deadline may have passed */

/* session_advance: whatever follows from the above: kill, drain, end, send. */
void session_advance(struct session *s);

/* What the loop waits for. */
bool session_wants_output(const struct session *s); /* there is room for more */
int session_wait_ms(const struct session *s);       /* until session_on_time; -1 = for ever */
