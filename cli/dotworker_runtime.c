/* The table of runtimes. The scripts stand in cli/templates, where they can be read and run as what
 * they are, and become part of the program. */
#include "cli/dotworker_runtime.h"

#include <string.h>
#include <strings.h>

#include "lib/cleanup.h"
#include "lib/embed.h"
#include "lib/str.h"

#include "lib/banned.h"

EMBED(dw_template_worker, "cli/templates/worker.sh");
EMBED(dw_template_build, "cli/templates/build.sh");
EMBED(dw_template_ruby, "cli/templates/runner.rb");
EMBED(dw_template_php, "cli/templates/runner.php");
EMBED(dw_template_node, "cli/templates/node_helper.js");

/* exec: signals then reach the worker itself. */
static const struct dw_runtime runtimes[] = {
    {"binary", NULL, "chmod +x @EXEC@\nexec ./@EXEC@ \"$@\"\n", NULL, NULL},
    {"go", ".go", "exec go run @EXEC@ \"$@\"\n", NULL, NULL},
    {"java", ".jar", "exec java -cp @CLASSPATH@ @MAIN@ \"$@\"\n", NULL, NULL},
    {"mono", ".exe", "exec mono @EXEC@ \"$@\"\n", NULL, NULL},
    {"node", ".js", "exec node @EXEC@ \"$@\"\n", "node_modules/node_helper.js", dw_template_node},
    {"perl", ".pl", "exec perl @EXEC@ \"$@\"\n", NULL, NULL},
    {"php", ".php", "export TERM=dumb\nexec php __runner__.php \"$@\"\n", "__runner__.php",
     dw_template_php},
    {"python", ".py",
     "export PATH=\"$PWD/__pips__/__bin__:$PATH\"\n"
     "export PYTHONPATH=\"$PWD/__pips__${PYTHONPATH:+:$PYTHONPATH}\"\n"
     "python=python\n"
     "command -v python >/dev/null || python=python3\n"
     "exec $python -u @EXEC@ \"$@\"\n",
     NULL, NULL},
    {"ruby", ".rb", "exec ruby __runner__.rb \"$@\"\n", "__runner__.rb", dw_template_ruby},
    {"sh", ".sh", "exec sh @EXEC@ \"$@\"\n", NULL, NULL},
};

const struct dw_runtime *dw_runtime_named(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(runtimes); i++)
        if (strcasecmp(runtimes[i].name, name) == 0)
            return &runtimes[i];
    return NULL;
}

const struct dw_runtime *dw_runtime_of(const char *exec)
{
    for (size_t i = 0; i < ARRAY_LEN(runtimes); i++)
        if (runtimes[i].extension && str_ends(exec, runtimes[i].extension))
            return &runtimes[i];
    return NULL;
}

const char *dw_runtime_list(void)
{
    return "binary, go, java, mono, node, perl, php, python, ruby, sh";
}
