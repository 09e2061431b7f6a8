/* The runner's identity lives in its state directory, so that a restarted runner is the same one
 * and finds its containers by label. */
#include "runner/identity.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/crypto.h"
#include "lib/fs.h"
#include "lib/str.h"

#include "lib/banned.h"

#define ID_RANDOM_BYTES 16
#define HOST_BYTES      48

static int make_dirs(const char *state_dir, struct err *e)
{
    autofree char *jobs = str_fmt("%s/jobs", state_dir), *tmp = str_fmt("%s/tmp", state_dir);
    if (fs_mkdirs(state_dir, 0700, e) || fs_mkdirs(jobs, 0700, e) || fs_mkdirs(tmp, 0700, e))
        return err_wrap(e, "state directory");
    return 0;
}

static int lock_dir(struct node *n, struct err *e)
{
    autofree char *path = str_fmt("%s/lock", n->set.state_dir);
    int rc = fs_lock(path, &n->lock_fd, e);
    if (rc == ERR_CONFLICT)
        return err_wrap(e, "another runner works in %s", n->set.state_dir);
    return rc;
}

static int load_id(struct node *n, struct err *e)
{
    autofree char *path = str_fmt("%s/runner-id", n->set.state_dir), *id = NULL;
    int rc = fs_read_secret(path, &id, e);
    if (rc == ERR_NOT_FOUND) {
        char fresh[ID_RANDOM_BYTES * 2 + 1];
        random_hex(fresh, ID_RANDOM_BYTES);
        str_copy(n->id, sizeof n->id, fresh);
        return fs_write_durable(path, fresh, strlen(fresh), 0600, e);
    }
    if (rc)
        return rc;
    if (strlen(id) != ID_RANDOM_BYTES * 2 || strspn(id, "0123456789abcdef") != strlen(id))
        return err_set(e, ERR_INVALID, "%s holds no runner id", path);
    str_copy(n->id, sizeof n->id, id);
    return 0;
}

/* HOST-xxxxxxxx, of the characters that a runner's name may have. */
static void make_name(struct node *n)
{
    char host[HOST_BYTES] = "runner";
    if (gethostname(host, sizeof host) != 0)
        str_copy(host, sizeof host, "runner");
    host[sizeof host - 1] = '\0';
    for (char *c = host; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
            *c = '-';
    snprintf(n->name, sizeof n->name, "%s-%.8s", host, n->id);
}

static int load_token(struct node *n, struct err *e)
{
    autofree char *token = NULL;
    if (fs_read_secret(n->set.token_file, &token, e))
        return err_wrap(e, "token file");
    n->auth = str_fmt("OAuth %s", token);
    return 0;
}

static int load_key(struct node *n, struct err *e)
{
    const char *path = n->set.decryption_key_file;
    AUTO(buf) struct buf pem = BUF_INIT(PAYLOAD_KEY_PEM_BYTES);
    if (!path || !*path)
        return 0;
    int rc = fs_read(path, &pem, e);
    if (rc == 0)
        rc = payload_key_private(buf_str(&pem), pem.len, &n->key, e);
    if (pem.len > 0)
        explicit_bzero(pem.data, pem.len);
    return rc == 0 ? 0 : err_wrap(e, "decryption key %s", path);
}

static int hash_init(struct node *n, struct err *e)
{
    char md5[MD5_TEXT];
    autoclose int fd = open(n->set.init, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(e, ERR_USAGE, "cannot read wrought-init at %s; --init names it",
                       n->set.init);
    return file_digests(fd, n->init_sha256, md5, e);
}

int identity_load(struct node *n, struct err *e)
{
    if (load_token(n, e) || load_key(n, e) || hash_init(n, e) || make_dirs(n->set.state_dir, e) ||
        lock_dir(n, e) || load_id(n, e))
        return e->code;
    make_name(n);
    return 0;
}
