# shellcheck shell=bash
# rules.sh: what must hold for all source files. Every rule_* prints one line per breach, FILE:LINE: why,
# and nothing when all is well; it looks at the tree in the current directory. source.t runs them on the
# project, rules.t on trees that break them.

# The programs' source files. A room that is not there yet has none.
c_files() { find lib api server runner cli -name "${1:-*.[ch]}" 2>/dev/null | sort; }
# Scripts by their first line: a test may also be in Python.
shell_files() {
    find .ci docker stacks tests examples bench -type f \( -name '*.sh' -o -name '*.t' -o -name run \) 2>/dev/null |
        while read -r file; do
            ! head -n 1 "$file" | grep -qE '^#!.*\<(ba)?sh$|^# shellcheck shell' || printf '%s\n' "$file"
        done | sort
}

# each_include AWK: run AWK for every #include of the programs, with file, line, target (the path) and
# own ("quoted" or "system") set.
each_include() {
    local files
    mapfile -t files < <(c_files)
    [ ${#files[@]} = 0 ] || awk '
        function breach(why) { print FILENAME ":" FNR ": " why }
        /^[ \t]*#[ \t]*include/ {
            file = FILENAME
            own = index($0, "\"") ? "quoted" : "system"
            target = $0
            sub(/^[^"<]*["<]/, "", target)
            sub(/[">].*/, "", target)
            '"$1"'
        }' "${files[@]}"
}

# Includes go one way: cli, runner, server -> api -> lib; and quoted ones name their room.
rule_include_direction() {
    each_include '
        if (own == "quoted") {
            room = file; sub(/\/.*/, "", room)
            to = target; sub(/\/.*/, "", to)
            allowed = " lib " (room == "lib" ? "" : "api ") room " "
            if (target !~ /\//)
                breach("\"" target "\" is not relative to the root")
            else if (!index(allowed, " " to " "))
                breach(room " must not include " target)
        }'
}

# Inside the server: handlers see no SQL, the store sees no HTTP and no rules above it. Inside the
# runner: wrought-init is static and shares the codecs of frames and network rules and a few words of the vocabulary only.
rule_layers() {
    each_include '
        name = file; sub(/.*\//, "", name)
        to = target; sub(/.*\//, "", to)
        if (file ~ /^server\/h_/ && (to == "sqlite3.h" || (to ~ /^store_/ && target ~ /^server\//)))
            breach("a handler must not reach into the store: " target)
        if (file ~ /^server\/store/ && target ~ /^server\/(http|routes|h_|queue|scheduler|reaper)/)
            breach("the store must not know what is above it: " target)
        if (file ~ /^server\/(queue|scheduler|reaper)/ && target ~ /^server\/(http|routes|h_)/)
            breach("the rules must not know HTTP: " target)
        if (file ~ /^runner\/init\// && own == "quoted" && target !~ /^(runner\/init|lib)\/|^api\/(frame|netrule)\.h$/)
            breach("wrought-init must not include " target)
        if (file ~ /^runner\// && file !~ /^runner\/init\// && target ~ /^runner\/init\//)
            breach("only wrought-init includes " target)'
}

# Every library has one owner: nobody else includes its headers.
rule_owners() {
    each_include '
        owner["microhttpd\\.h"] = "server/http[a-z_]*\\.[ch]|runner/health\\.c"
        owner["sqlite3\\.h"] = "server/store[a-z_]*\\.[ch]"
        owner["curl/.*"] = "lib/httpc[a-z_]*\\.[ch]"
        owner["json-c/.*|json\\.h"] = "lib/json\\.c"
        owner["archive(_entry)?\\.h"] = "lib/archive[a-z_]*\\.[ch]"
        owner["openssl/.*"] = "lib/crypto[a-z_]*\\.c"
        owner["seccomp\\.h"] = "lib/confine\\.c|runner/seccomp\\.c"
        if (own == "system")
            for (library in owner)
                if (target ~ "^(" library ")$" && file !~ "^(" owner[library] ")$")
                    breach("<" target "> belongs to " owner[library])'
}

# x.c includes x.h first: a header that does not stand alone is found at once.
rule_own_header() {
    local file header first
    while read -r file; do
        header=${file%.c}.h
        [ -f "$header" ] || continue
        first=$(grep -nm1 '^#include' "$file")
        [[ ${first#*:} == "#include \"$header\"" ]] ||
            printf '%s:%s: %s must be the first include\n' "$file" "${first%%:*}" "$header"
    done < <(c_files '*.c')
}

# lib/banned.h makes unsafe calls errors, from where it stands: so it is the last.
rule_banned_last() {
    local file last
    while read -r file; do
        last=$(grep -n '^#include' "$file" | tail -n 1)
        [[ ${last#*:} == '#include "lib/banned.h"'* ]] ||
            printf '%s:%s: lib/banned.h must be the last include\n' "$file" "${last%%:*}"
    done < <(c_files '*.c')
}

rule_headers() {
    local file lines
    while read -r file; do
        lines=$(wc -l <"$file")
        [ "$lines" -le 150 ] || printf '%s:%s: a header has at most 150 lines\n' "$file" "$lines"
        grep -qx '#pragma once' "$file" || printf '%s:1: no #pragma once\n' "$file"
    done < <(c_files '*.h')
}

# A promise to do it later is not done.
rule_words() {
    local words='TO''DO|FIX''ME|XX''X|HA''CK'
    { c_files && shell_files; } | xargs -r grep -nHwE "$words" || true
}

# Tests wait on a condition with a deadline, and end what they started by pid.
rule_patient_tests() {
    find tests -name '*.t' -print0 2>/dev/null | xargs -0r awk '
        /^[ \t]*#/ { next }
        /(^|[;&|][ \t]*|then |do )[ \t]*sleep [0-9]/ { print FILENAME ":" FNR ": sleeping; use wait_for" }
        /(^|[^a-z_])(pkill|killall)([^a-z_]|$)/ { print FILENAME ":" FNR ": ending processes by name" }'
}

rule_format() {
    { c_files && find tests -name '*.[ch]' 2>/dev/null; } |
        xargs -r clang-format --dry-run -Werror 2>&1 | grep -E '^[^ ]+:[0-9]+:[0-9]+: ' || true
}

# Left out is what doubts the meant: a script in single quotes (2016), a function called by name (2317)
# or without its optional arguments (2119).
rule_shellcheck() {
    shell_files | xargs -r shellcheck --external-sources --source-path SCRIPTDIR --exclude SC2016,SC2119,SC2317 \
        --format gcc || true
}

# gcc builds the programs; what clang would warn of is found without a second build.
rule_clang() {
    # shellcheck disable=SC2046  # flags and files are words
    c_files '*.c' | xargs -r -P 2 -n 8 clang -fsyntax-only -std=gnu11 -iquote . -D_GNU_SOURCE \
        -DWROUGHT_VERSION='"lint"' -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes \
        -Wmissing-prototypes -fno-caret-diagnostics \
        $(pkg-config --cflags libmicrohttpd json-c libcurl libseccomp sqlite3 libarchive libcrypto) 2>&1 |
        grep -E '(warning|error): ' || true
}

# A relative link in a Markdown file leads to a file.
rule_links() {
    local file line target
    find . -name '*.md' -not -path './.*' -not -path './build*' | sed 's|^\./||' |
        xargs -r grep -noHE '\]\([^)# ]+' | sed 's/\](//' | while IFS=: read -r file line target; do
        [[ $target == *:* ]] || [ -e "$(dirname "$file")/$target" ] ||
            printf '%s:%s: no such file: %s\n' "$file" "$line" "$target"
    done
}

all_rules() { compgen -A function rule_; }
