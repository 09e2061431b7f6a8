#!/usr/bin/env bash
# The manual pages, and where `make install` puts them and the completions.
. "$(dirname "$0")/../lib.sh"

"$BIN/wrought" man >wrought.1
"$BIN/wrought-server" --man >wrought-server.8
"$BIN/wrought-runner" --man >wrought-runner.8
for page in wrought.1 wrought-server.8 wrought-runner.8; do
    # No date, so that a build is the same every day: the one thing that the linter may miss.
    is "$(mandoc -Tlint -Wwarning "$page" | grep -v 'missing date')" '' "$page is clean"
    mandoc -Tutf8 "$page" | col -b >"$page.txt"
    like "$(<"$page.txt")" "SEE ALSO" '… and whole'
done
for verb in $("$BIN/wrought" complete | cut -f 1); do
    like "$(<wrought.1.txt)" $'\n'"   $verb( |"$'\n)' "$verb is in the page"
done
like "$(<wrought.1.txt)" '-p, --payload TEXT' 'its flags are'
like "$(<wrought.1.txt)" "wrought queue hello --payload '\{\"n\":1\}'" '… and the examples, as one types them'
like "$(<wrought-server.8.txt)" '--data-dir DIR.*WROUGHT_DATA_DIR' "the server's options are, with their variables"
like "$(<wrought-runner.8.txt)" '--slots N.*WROUGHT_SLOTS' "… and the runner's"

ok 'all is installed' make -s -C "$ROOT" install BUILD="$BIN" DESTDIR="$TMP/dest" PREFIX=/usr
share=$TMP/dest/usr/share
ok '… the pages' cmp wrought.1 "$share/man/man1/iron_worker.1"
ok '… of the daemons' cmp wrought-runner.8 "$share/man/man8/wrought-runner.8"
ok '… the completions of bash' cmp "$share/bash-completion/completions/iron_worker" <("$BIN/wrought" completion bash)
ok '… of zsh' cmp "$share/zsh/site-functions/_wrought" <("$BIN/wrought" completion zsh)
ok '… of fish' cmp "$share/fish/vendor_completions.d/iron_worker.fish" <("$BIN/wrought" completion fish)
done_testing
