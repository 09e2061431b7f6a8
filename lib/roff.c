/* roff. A line that begins with a dot or a quote is a request, a backslash begins an escape, and a
 * plain hyphen may become a typographic one that nobody can paste. */
#include "lib/roff.h"

#include <string.h>

#include "lib/banned.h"

static void escape(struct buf *out, const char *text)
{
    bool begins = true;
    for (const char *p = text; *p; p++) {
        if (begins && (*p == '.' || *p == '\''))
            buf_adds(out, "\\&");
        if (*p == '\\')
            buf_adds(out, "\\e");
        else if (*p == '-')
            buf_adds(out, "\\-");
        else
            buf_addc(out, *p);
        begins = *p == '\n';
    }
}

static void line(struct buf *out, const char *text)
{
    size_t before = out->len;
    escape(out, text);
    if (out->len == before || out->data[out->len - 1] != '\n')
        buf_addc(out, '\n');
}

static void heading(struct buf *out, const char *macro, const char *text)
{
    buf_addf(out, ".%s \"", macro);
    escape(out, text);
    buf_adds(out, "\"\n");
}

void roff_open(struct buf *out, const char *name, int section, const char *summary,
               const char *synopsis)
{
    /* No date: a page says the version that it is of, and is built the same every day. */
    buf_addf(out, ".TH \"%s\" %d \"\" \"Wrought %s\"\n", name, section, WROUGHT_VERSION);
    roff_section(out, "NAME");
    escape(out, name);
    buf_adds(out, " \\- ");
    line(out, summary);
    roff_section(out, "SYNOPSIS");
    line(out, synopsis);
}

void roff_section(struct buf *out, const char *title)
{
    heading(out, "SH", title);
}

void roff_subsection(struct buf *out, const char *title)
{
    heading(out, "SS", title);
}

/* after_heading: a heading begins a paragraph itself. */
static bool after_heading(const struct buf *out)
{
    size_t at = out->len > 0 ? out->len - 1 : 0;
    while (at > 0 && out->data[at - 1] != '\n')
        at--;
    return out->len - at > 3 && memcmp(out->data + at, ".S", 2) == 0;
}

void roff_text(struct buf *out, const char *text)
{
    if (!after_heading(out))
        buf_adds(out, ".PP\n");
    line(out, text);
}

void roff_example(struct buf *out, const char *text)
{
    buf_adds(out, ".PP\n.RS 4\n.nf\n");
    line(out, text);
    buf_adds(out, ".fi\n.RE\n");
}

void roff_item(struct buf *out, const char *term, const char *text)
{
    buf_adds(out, ".TP\n\\fB");
    escape(out, term);
    buf_adds(out, "\\fR\n");
    line(out, text);
}

void roff_see_also(struct buf *out, const char *pages)
{
    roff_section(out, "SEE ALSO");
    line(out, pages);
}
