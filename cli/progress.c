/* The progress bar. */
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/out.h"
#include "lib/clock.h"

#include "lib/banned.h"

#define BAR       30
#define REDRAW_MS 100

void progress_init(struct progress *p)
{
    *p = (struct progress){.on = isatty(STDERR_FILENO) == 1, .percent = -1};
}

static int percent_of(uint64_t done, uint64_t total)
{
    return total == 0 || done >= total ? 100 : (int)((double)done * 100 / (double)total);
}

void progress_text(uint64_t done, uint64_t total, char out[PROGRESS_TEXT])
{
    char bar[BAR + 1] = "";
    char done_text[OUT_WORD], total_text[OUT_WORD];
    int percent = percent_of(done, total);
    for (int i = 0; i < BAR; i++)
        bar[i] = i < percent * BAR / 100 ? '=' : ' ';
    snprintf(out, PROGRESS_TEXT, "[%s] %3d%%  %s of %s", bar, percent, out_bytes(done, done_text),
             out_bytes(total, total_text));
}

void progress_update(struct progress *p, uint64_t done, uint64_t total)
{
    int percent = percent_of(done, total);
    int64_t now_ms = clock_mono_ms();
    bool last = percent == 100;
    if (!p->on || percent == p->percent || (!last && now_ms - p->drawn_ms < REDRAW_MS))
        return;
    char text[PROGRESS_TEXT];
    progress_text(done, total, text);
    fprintf(stderr, "\r        %s\033[K", text);
    fflush(stderr);
    p->percent = percent;
    p->drawn_ms = now_ms;
}

void progress_done(struct progress *p)
{
    if (p->on && p->percent >= 0)
        fputc('\n', stderr);
    p->percent = -1;
}
