/* The multipart parser: a state machine over lines and delimiters. Neighbour: server/form.c.
 *
 * Invariant: `held` is what was fed and not yet understood. In a part's data it holds at most a
 * delimiter and a CR, so that bytes flow through; elsewhere at most MULTIPART_HEADER_MAX. */
#include "server/multipart.h"

#include <string.h>
#include <strings.h>

#include "lib/str.h"

#include "lib/banned.h"

enum { PREAMBLE, AFTER_DELIMITER, HEADERS, DATA, EPILOGUE };

/* How much of a long piece is looked at at once; bounds `held`. */
#define STEP_BYTES 16384
#define HELD_MAX   (STEP_BYTES + MULTIPART_HEADER_MAX + MULTIPART_BOUNDARY_MAX + 16)

/* ---- header values ---- */

/* copy_value: the value at `at` (quoted or a token) into `ret`, cut to its room. */
static void copy_value(const char *at, size_t len, char *ret, size_t room)
{
    bool quoted = len > 0 && *at == '"';
    size_t n = 0;
    for (size_t i = quoted; i < len; i++) {
        if (quoted ? at[i] == '"' : strchr("; \t\r\n", at[i]) != NULL)
            break;
        /* Only a quote is ever escaped: browsers and old clients send paths with plain \ in them.
         */
        if (quoted && at[i] == '\\' && i + 1 < len && at[i + 1] == '"')
            i++;
        if (n + 1 < room)
            ret[n++] = at[i];
    }
    ret[n] = '\0';
}

/* skip_value: the length of the quoted string or token at `at`. */
static size_t skip_value(const char *at, size_t len)
{
    size_t i = 0;
    if (len > 0 && *at == '"') {
        for (i = 1; i < len && at[i] != '"'; i++)
            i += at[i] == '\\' && i + 1 < len && at[i + 1] == '"';
        return i < len ? i + 1 : i;
    }
    while (i < len && at[i] != ';')
        i++;
    return i;
}

/* find_param: `; key=value` in a header value; false when it is not there. */
static bool find_param(const char *value, size_t len, const char *key, char *ret, size_t room)
{
    size_t key_len = strlen(key);
    const char *at = memchr(value, ';', len), *end = value + len;
    while (at && at < end) {
        at++;
        while (at < end && (*at == ' ' || *at == '\t'))
            at++;
        const char *eq = memchr(at, '=', (size_t)(end - at));
        if (!eq)
            return false;
        if ((size_t)(eq - at) == key_len && strncasecmp(at, key, key_len) == 0) {
            copy_value(eq + 1, (size_t)(end - eq - 1), ret, room);
            return true;
        }
        at = eq + 1 + skip_value(eq + 1, (size_t)(end - eq - 1));
        at = memchr(at, ';', (size_t)(end - at));
    }
    return false;
}

bool multipart_boundary(const char *content_type, char ret[MULTIPART_BOUNDARY_MAX + 1])
{
    char found[MULTIPART_BOUNDARY_MAX + 2]; /* one more, to see a value that is too long */
    if (strncasecmp(content_type, "multipart/form-data", 19) != 0 ||
        !find_param(content_type, strlen(content_type), "boundary", found, sizeof(found)))
        return false;
    size_t len = strlen(found);
    if (len == 0 || len > MULTIPART_BOUNDARY_MAX)
        return false;
    memcpy(ret, found, len + 1);
    return true;
}

/* ---- the machine ---- */

void multipart_init(struct multipart *m, const char *boundary, const struct multipart_sink *sink)
{
    *m = (struct multipart){.sink = *sink, .state = PREAMBLE, .held = BUF_INIT(HELD_MAX)};
    memcpy(m->delimiter, "\n--", 3);
    str_copy(m->delimiter + 3, sizeof(m->delimiter) - 3, boundary);
    m->delimiter_len = strlen(m->delimiter);
    /* The first delimiter may stand at the very start: as if a line had ended before it. */
    buf_addc(&m->held, '\n');
}

void multipart_release(struct multipart *m)
{
    buf_release(&m->held);
}

/* find_delimiter: its start in `held`, or `held.len` when it is not there. */
static size_t find_delimiter(const struct multipart *m)
{
    const char *at = memmem(m->held.data, m->held.len, m->delimiter, m->delimiter_len);
    return at ? (size_t)(at - m->held.data) : m->held.len;
}

/* One header line of a part. */
static void read_header(const char *line, size_t len, struct multipart_part *part)
{
    static const char wanted[] = "content-disposition:";
    if (len < sizeof(wanted) - 1 || strncasecmp(line, wanted, sizeof(wanted) - 1) != 0)
        return;
    find_param(line, len, "name", part->name, sizeof(part->name));
    find_param(line, len, "filename", part->filename, sizeof(part->filename));
}

/* Each step returns 1 when it made progress, 0 when it needs more bytes, negative on error. */

static int step_preamble(struct multipart *m)
{
    size_t at = find_delimiter(m);
    if (at == m->held.len) {
        size_t keep = m->held.len < m->delimiter_len ? m->held.len : m->delimiter_len;
        buf_consume(&m->held, m->held.len - keep);
        return 0;
    }
    buf_consume(&m->held, at + m->delimiter_len);
    m->state = AFTER_DELIMITER;
    return 1;
}

/* After a delimiter: "--" ends it all, a line end (blanks before it allowed) starts a part. */
static int step_after_delimiter(struct multipart *m, struct err *e)
{
    const char *p = m->held.data;
    if (m->held.len >= 2 && p[0] == '-' && p[1] == '-') {
        m->state = EPILOGUE;
        return 1;
    }
    const char *end = m->held.len ? memchr(p, '\n', m->held.len) : NULL;
    if (!end) {
        if (m->held.len > MULTIPART_BOUNDARY_MAX)
            return err_set(e, ERR_INVALID, "multipart: bytes after a boundary");
        return 0;
    }
    for (const char *c = p; c < end; c++) {
        if (*c != ' ' && *c != '\t' && *c != '\r')
            return err_set(e, ERR_INVALID, "multipart: bytes after a boundary");
    }
    /* The line end stays: it is what a part without headers and data has before its delimiter. */
    buf_consume(&m->held, (size_t)(end - p));
    m->state = HEADERS;
    return 1;
}

/* headers_end: the length of the headers with the empty line that closes them; 0 = not yet all.
 * `text` starts with the line end of the boundary. */
static size_t headers_end(const char *text, size_t len)
{
    for (const char *at = text; (at = memchr(at, '\n', len - (size_t)(at - text))) != NULL; at++) {
        size_t left = len - (size_t)(at - text);
        if (left >= 2 && at[1] == '\n')
            return (size_t)(at - text) + 2;
        if (left >= 3 && at[1] == '\r' && at[2] == '\n')
            return (size_t)(at - text) + 3;
    }
    return 0;
}

static int step_headers(struct multipart *m, struct err *e)
{
    size_t end = headers_end(m->held.data, m->held.len);
    if ((end ? end : m->held.len) > MULTIPART_HEADER_MAX)
        return err_set(e, ERR_INVALID, "multipart: the header of a part is over %u bytes",
                       MULTIPART_HEADER_MAX);
    if (end == 0)
        return 0;
    if (++m->parts > MULTIPART_PARTS_MAX)
        return err_set(e, ERR_INVALID, "multipart: more than %d parts", MULTIPART_PARTS_MAX);
    struct multipart_part part = {0};
    for (const char *line = m->held.data + 1, *stop = m->held.data + end; line < stop;) {
        const char *lf = memchr(line, '\n', (size_t)(stop - line));
        size_t len = (size_t)(lf - line);
        if (len > 0 && lf[-1] == '\r')
            len--;
        read_header(line, len, &part);
        line = lf + 1;
    }
    /* The empty line's end stays, for it may be the start of the next delimiter: an empty part. */
    buf_consume(&m->held, end - 1);
    m->state = DATA;
    m->fresh = true;
    return m->sink.begin(m->sink.arg, &part, e) ? e->code : 1;
}

static int hand_on(struct multipart *m, size_t len, struct err *e)
{
    size_t skip = m->fresh && len > 0; /* the line end of the header, kept by step_headers */
    if (skip)
        m->fresh = false;
    return len > skip ? m->sink.data(m->sink.arg, m->held.data + skip, len - skip, e) : 0;
}

static int step_data(struct multipart *m, struct err *e)
{
    size_t at = find_delimiter(m);
    if (at < m->held.len) {
        size_t len = at > m->fresh && m->held.data[at - 1] == '\r' ? at - 1 : at;
        if (hand_on(m, len, e))
            return e->code;
        buf_consume(&m->held, at + m->delimiter_len);
        m->fresh = false;
        m->state = AFTER_DELIMITER;
        return 1;
    }
    /* All but what may be the start of "\r" and a delimiter. */
    size_t keep = m->delimiter_len + 1;
    if (m->held.len <= keep)
        return 0;
    size_t len = m->held.len - keep;
    if (hand_on(m, len, e))
        return e->code;
    buf_consume(&m->held, len);
    return 0;
}

static int step(struct multipart *m, struct err *e)
{
    switch (m->state) {
    case PREAMBLE:
        return step_preamble(m);
    case AFTER_DELIMITER:
        return step_after_delimiter(m, e);
    case HEADERS:
        return step_headers(m, e);
    case DATA:
        return step_data(m, e);
    default:
        buf_clear(&m->held);
        return 0; /* the epilogue says nothing */
    }
}

int multipart_feed(struct multipart *m, const char *bytes, size_t len, struct err *e)
{
    while (len > 0) {
        size_t piece = len < STEP_BYTES ? len : STEP_BYTES;
        buf_add(&m->held, bytes, piece);
        bytes += piece;
        len -= piece;
        if (buf_check(&m->held, "multipart", e))
            return e->code;
        int rc;
        while ((rc = step(m, e)) > 0) {
        }
        if (rc < 0)
            return rc;
    }
    return 0;
}

int multipart_end(struct multipart *m, struct err *e)
{
    if (m->state == EPILOGUE)
        return 0;
    return err_set(e, ERR_INVALID,
                   m->state == PREAMBLE ? "multipart: no part with the boundary that was announced"
                                        : "multipart: the body ends before the last boundary");
}
