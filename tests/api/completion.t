#!/usr/bin/env bash
# The completions, in the shells that they are for.
. "$(dirname "$0")/../lib.sh"
export PATH="$TMP/bin:$PATH"
mkdir bin && ln -s "$BIN/wrought" bin/wrought && ln -s wrought bin/iron_worker

# ---- what the program says

says() { # CURRENT WORD...: candidates, on one line
    wrought complete --current="$1" -- "${@:2}" | cut -f 1 | paste -sd' '
}
is "$(says sta)" 'stacks status' 'verbs by their beginning'
is "$(says inf)" info 'verbs of two words by their first'
is "$(says '' update)" schedule '… then by their second'
is "$(says --pay queue hello)" '--payload --payload-file' 'flags of the verb'
is "$(says --tok queue)" '--token --token-file' '… and those of every verb'
is "$(says --ver --token x)" '' '… before the verb too'
is "$(says c tasks --status)" 'complete cancelled' 'values of a flag that has few'
is "$(says '' queue --payload)" '' 'nothing where a text of the user belongs'
is "$(says '' queue)" '' '… or a name'
is "$(says z completion)" zsh 'words that are few'
is "$(says stat help)" status 'verbs behind help'
is "$(says que --token x)" queue 'the verb behind connection flags'
for verb in $(wrought complete | cut -f 1); do
    isnt "$(wrought complete --current=- -- "$verb")$(wrought complete -- "$verb")" '' "$verb has something to say"
done

# ---- the shells

in_bash() { # WORD...: the last is being typed
    bash --norc -c '. <(wrought completion bash)
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _wrought && printf "%s\n" "${COMPREPLY[*]}"' bash "$@"
}
is "$(in_bash wrought pau)" pause 'bash completes verbs'
is "$(in_bash "$BIN/wrought" queue hello --pay)" '--payload --payload-file' '… and flags, by path as well'
is "$(in_bash wrought tasks --status '')" 'queued preparing running complete error cancelled timeout' '… and values'
is "$(bash --norc -c '. <(wrought completion bash); complete -p iron_worker')" \
    'complete -o default -F _wrought iron_worker' '… under the older name too'

in_zsh() { # WORD...
    zsh -fc 'autoload -U compinit && compinit -D
        . <(wrought completion zsh)
        [[ $_comps[wrought] = _wrought && $_comps[iron_worker] = _wrought ]] || print unregistered
        _describe() { print -r -- "${(@P)3}"; }
        _files() { print files; }
        words=("$@") CURRENT=$#
        _wrought' zsh "$@"
}
is "$(in_zsh wrought pau)" 'pause:Hold the queued and scheduled tasks of a code back' 'zsh completes verbs, with what they do'
is "$(in_zsh wrought info '' | head -c 10)" 'code:Show ' '… of two words'
is "$(in_zsh wrought upload '')" files '… and leaves files to the shell'

in_fish() { # LINE
    fish --no-config -c 'wrought completion fish | source; complete -C $argv[1]' "$1"
}
is "$(in_fish 'wrought pau')" $'pause\tHold the queued and scheduled tasks of a code back' 'fish completes verbs'
is "$(in_fish 'wrought queue hello --pay' | cut -f 1 | paste -sd' ')" '--payload --payload-file' '… and flags'
like "$(in_fish 'iron_worker info ')" $'code\tShow' '… under the older name too'
exits 'another shell' 64 wrought completion csh
like "$OUT" 'bash\|zsh\|fish' '… is told which there are'
done_testing
