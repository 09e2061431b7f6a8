/* The runtimes of .worker files and how each starts its exec. Any thread. */
#pragma once

#include <stddef.h>

struct dw_runtime {
    const char *name;
    const char *extension; /* of an exec that chooses it, with its dot; NULL = none does */
    /* The end of __runner__.sh. @EXEC@ is the exec's name, @CLASSPATH@ and @MAIN@ are Java's; all
     * as shell words. */
    const char *start;
    /* A script of ours beside it, or NULL. In it, @EXEC@ and @CLASS@ are literals of its own
     * language. */
    const char *helper_name, *helper;
};

/* dw_runtime_named: by name, in any case. NULL when there is none. */
const struct dw_runtime *dw_runtime_named(const char *name);

/* dw_runtime_of: by the extension of an exec; NULL when it tells nothing. */
const struct dw_runtime *dw_runtime_of(const char *exec);

/* dw_runtime_list: "binary, go, …". */
const char *dw_runtime_list(void);

/* The shell script that starts a worker or builds it: @EXPORTS@ and @START@ are to be filled in. */
extern const char dw_template_worker[];
/* What a build does in it: @STEPS@. */
extern const char dw_template_build[];
