/* Payloads: text that goes into JSON as it is. */
#include "cli/payload.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/crypto_payload.h"
#include "lib/fs.h"
#include "lib/str.h"

#include "lib/banned.h"

#define READ_BYTES (64u << 10)

static int read_stdin(struct buf *out, struct err *e)
{
    for (;;) {
        char *room = buf_reserve(out, READ_BYTES);
        ssize_t n = room ? read(STDIN_FILENO, room, READ_BYTES) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_os(e, ERR_IO, errno, "read the payload from stdin");
        if (n == 0)
            return buf_check(out, "the payload", e);
        buf_commit(out, (size_t)n);
    }
}

static int read_plain(const struct payload_source *s, struct buf *out, struct err *e)
{
    int rc = 0;
    if (s->text && s->file)
        return err_set(e, ERR_USAGE, "--payload and --payload-file exclude each other");
    if (s->text)
        buf_adds(out, s->text);
    else if (s->file && strcmp(s->file, "-") == 0)
        rc = read_stdin(out, e);
    else if (s->file)
        rc = fs_read(s->file, out, e);
    if (rc < 0)
        return rc;
    return buf_check(out, "the payload", e);
}

static int check_plain(const struct buf *payload, struct err *e)
{
    if (payload->len > 0 && memchr(payload->data, '\0', payload->len))
        return err_set(e, ERR_INVALID, "the payload holds a NUL byte; send it as base64");
    if (!str_is_utf8(buf_str(payload), payload->len))
        return err_set(e, ERR_INVALID, "the payload is not UTF-8 text; send it as base64");
    return 0;
}

/* encrypt: whatever bytes the payload has, what goes out is text. */
static int encrypt(const struct payload_source *s, struct buf *payload, struct err *e)
{
    AUTO(buf) struct buf pem = BUF_INIT(PAYLOAD_KEY_PEM_BYTES);
    AUTO(buf) struct buf text = BUF_INIT(payload->max);
    autopayloadkey struct payload_key *key = NULL;
    if (s->key_text && s->key_file)
        return err_set(e, ERR_USAGE,
                       "--encryption-key and --encryption-key-file exclude each other");
    if (s->key_text)
        buf_adds(&pem, s->key_text);
    else if (fs_read(s->key_file, &pem, e) < 0)
        return e->code;
    if (buf_check(&pem, "the encryption key", e) < 0)
        return e->code;
    if (payload_key_public(buf_str(&pem), pem.len, &key, e) < 0)
        return err_wrap(e, "%s", s->key_text ? "--encryption-key" : s->key_file);
    if (payload_encrypt(key, buf_str(payload), payload->len, &text, e) < 0)
        return e->code;
    buf_clear(payload);
    buf_add(payload, text.data, text.len);
    return 0;
}

int payload_read(const struct payload_source *s, struct buf *out, struct err *e)
{
    int rc = read_plain(s, out, e);
    if (rc < 0)
        return rc;
    return s->key_text || s->key_file ? encrypt(s, out, e) : check_plain(out, e);
}
