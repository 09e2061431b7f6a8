/* EMBED: a file of the sources as bytes of the program, so that it can be read and tested as what
 * it is. The Makefile names the file as a prerequisite of the object, for -MMD does not see it. */
#pragma once

/* EMBED(name, "path"): `extern const char name[]` with the bytes of the file and a NUL after them.
 * The path is relative to where make runs. Once per name in the program. */
#define EMBED(name, path)                                                                          \
    __asm__(".pushsection .rodata\n.globl " #name "\n" #name ":\n.incbin \"" path                  \
            "\"\n.byte 0\n.popsection\n");                                                         \
    extern const char name[]
