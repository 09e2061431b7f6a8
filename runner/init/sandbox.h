/* `wrought-init sandbox [RULE…]`: PID 1 of a net sandbox, an idle container that owns a network
 * namespace. It sets the rules of that namespace, gives up every capability, says so (HELLO, or END
 * with what failed) and waits to be removed. Tasks join the namespace without capabilities of their
 * own, so that they cannot change the rules. */
#pragma once

/* sandbox_main: `words` are rules (api/netrule.h), NULL-terminated. Returns the exit code. */
int sandbox_main(char *const *words);
