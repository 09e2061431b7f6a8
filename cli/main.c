/* wrought, also invoked as iron_worker: the command line. */
#include "cli/command.h"

#include <locale.h>

#include "lib/httpc.h"

#include "lib/banned.h"

int main(int argc, char **argv)
{
    (void)argc;
    setlocale(LC_CTYPE, "C.UTF-8"); /* for the width of characters, whatever the user's locale */
    httpc_global_init();
    return command_main(argv);
}
