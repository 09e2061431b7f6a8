/* whoami: the real and the effective user, as "UID EUID". Installed set-user-id, it shows whether
 * that works. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    printf("%u %u\n", getuid(), geteuid());
    return 0;
}
