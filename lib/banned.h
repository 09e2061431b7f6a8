/* Included last by every .c file (the lint checks it): calls that are easy to get wrong do not
 * compile. What to use instead: struct buf, str_copy, str_int, clock_format, a condition with a
 * deadline. alloca is a macro, so -Walloca bans it instead. */
#pragma once

#pragma GCC poison strcpy strcat sprintf vsprintf strncpy strncat strtok strtok_r atoi atol atoll
#pragma GCC poison gmtime localtime ctime asctime sleep usleep system popen gets tmpnam mktemp
