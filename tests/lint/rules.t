#!/usr/bin/env bash
# The rules of rules.sh find what they are for: each is shown a tree that breaks it, and one that does not.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/lint/rules.sh"

# tree FILE TEXT [FILE TEXT...]: a source tree of these files; the lint runs there.
tree() {
    rm -rf "$TMP/tree"
    while [ $# -gt 0 ]; do
        mkdir -p "$(dirname "$TMP/tree/$1")"
        printf '%b' "$2" >"$TMP/tree/$1"
        shift 2
    done
    cp "$ROOT/.clang-format" "$TMP/tree/"
    cd "$TMP/tree" || exit 1
}

# breach RULE LINE NAME: the rule prints just one line, which begins with LINE.
breach() { like "$("rule_$1")" "^$2[^"$'\n'"]*$" "$3"; }
clean() { is "$("rule_$1")" '' "$2"; }

banned='#include "lib/banned.h"\n'

tree lib/a.c '#include "api/task.h"\n'
breach include_direction 'lib/a.c:1: lib must not include api' 'lib must not include api'
tree api/a.c '#include "server/store.h"\n'
breach include_direction 'api/a.c:1: api must not' 'api must not include server'
tree runner/a.c '\n#include "cli/out.h"\n'
breach include_direction 'runner/a.c:2: runner must not' 'runner must not include cli'
tree cli/a.c '#include "out.h"\n'
breach include_direction 'cli/a.c:1: .* not relative' 'includes are relative to the root'
tree server/a.c '#include "server/a.h"\n#include "api/task.h"\n#include "lib/err.h"\n#include <stdio.h>\n'
clean include_direction 'server may include server, api and lib'

tree server/h_task.c '#include <sqlite3.h>\n'
breach layers 'server/h_task.c:1: a handler' 'a handler must not include sqlite3'
tree server/h_task.c '#include "server/store_sql.h"\n'
breach layers 'server/h_task.c:1: a handler' 'a handler must not include what is inside the store'
tree server/store_task.c '#include "server/http.h"\n'
breach layers 'server/store_task.c:1: the store' 'the store must not include http'
tree server/queue.c '#include "server/http.h"\n'
breach layers 'server/queue.c:1: the rules' 'the rules must not include http'
tree runner/init/main.c '#include "api/task.h"\n'
breach layers 'runner/init/main.c:1: wrought-init' 'wrought-init includes no codec but the frames'
tree runner/init/main.c '#include "api/frame.h"\n' server/h_task.c '#include "server/store.h"\n' \
    server/store_task.c '#include "server/store_sql.h"\n'
clean layers 'each layer may include the one below'

for case in 'microhttpd.h server/http.c' 'sqlite3.h server/store_task.c' 'curl/curl.h lib/httpc.c' \
    'json-c/json.h lib/json.c' 'archive.h lib/archive.c' 'archive_entry.h lib/archive.c' \
    'openssl/evp.h lib/crypto.c' 'seccomp.h runner/seccomp.c'; do
    read -r header owner <<<"$case"
    tree cli/main.c "#include <$header>\n"
    breach owners "cli/main.c:1: <$header> belongs to" "cli must not include $header"
    tree "$owner" "#include <$header>\n"
    clean owners "$owner may include $header"
done

tree lib/a.h '#pragma once\n' lib/a.c '#include <stdio.h>\n#include "lib/a.h"\n'
breach own_header 'lib/a.c:1: lib/a.h' 'the own header comes first'
tree lib/a.h '#pragma once\n' lib/a.c '#include "lib/a.h"\n' lib/main.c '#include <stdio.h>\n'
clean own_header 'own header first, or none'

tree lib/a.c "$banned"'#include <stdio.h>\n'
breach banned_last 'lib/a.c:2: lib/banned.h' 'an include after banned.h'
tree lib/a.c 'int x;\n'
breach banned_last 'lib/a.c:' 'no banned.h at all'
tree lib/a.c "#include <stdio.h>\n$banned"
clean banned_last 'banned.h last'

tree lib/a.h 'int x;\n'
breach headers 'lib/a.h:1: no #pragma once' 'a header without #pragma once'
tree lib/a.h "#pragma once\n$(printf '\\n%.0s' {1..150})"
breach headers 'lib/a.h:151: ' 'a header of 151 lines'
tree lib/a.h "#pragma once\n$(printf '\\n%.0s' {1..149})"
clean headers 'a header of 150 lines'

later='TO''DO'
tree lib/a.c "/* $later: all of it */\n"
breach words 'lib/a.c:1:' 'work put off in C'
tree docker/a.sh "#!/bin/sh\n# $later\n"
breach words 'docker/a.sh:2:' 'work put off in a script'
tree lib/a.c '/* a mastodon */\n'
clean words 'other words'

nap='sle''ep 1'
tree tests/api/a.t "true\n$nap\n"
breach patient_tests 'tests/api/a.t:2: sleeping' 'a test that sleeps'
tree tests/api/a.t "start; $nap\n"
breach patient_tests 'tests/api/a.t:1: sleeping' 'a test that sleeps after something else'
tree tests/api/a.t 'pki''ll wrought\n'
breach patient_tests 'tests/api/a.t:1: ending' 'a test that ends processes by name'
tree tests/api/a.t "upload_image nap busybox '$nap'\n"
clean patient_tests 'a task that sleeps is no sleeping test'

tree lib/a.c 'int  x;\n'
breach format 'lib/a.c:1:' 'a file that clang-format would change'
tree lib/a.c 'int x;\n'
clean format 'a formatted file'

tree docker/a.sh '#!/bin/sh\necho $1\n'
breach shellcheck 'docker/a.sh:2:.*SC2086' 'an unquoted variable'
tree .ci/run '#!/usr/bin/env bash\necho $1\n'
breach shellcheck '.ci/run:2:.*SC2086' 'a script without a suffix'
tree docker/a.sh '#!/bin/sh\necho "$1"\n' tests/unit/a.t '#!/usr/bin/env python3\nprint(1)\n'
clean shellcheck 'a clean script, and a test in Python'

tree lib/a.c 'int f(void);\nint f(void)\n{\n    int a;\n}\n'
like "$(rule_clang)" 'lib/a.c:4:.*unused' 'clang finds an unused variable'
tree lib/a.c 'int f(void);\nint f(void)\n{\n    return 0;\n}\n'
clean clang 'a file without warnings'

tree README.md 'see [there](docs/no.md)\n'
breach links 'README.md:1: no such file: docs/no.md' 'a link to nowhere'
tree README.md 'see [there](docs/a.md#part) and [the web](https://example.org/)\n' docs/a.md 'up: [x](../README.md)\n'
clean links 'links that lead somewhere'

done_testing
