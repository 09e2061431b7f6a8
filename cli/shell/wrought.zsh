#compdef wrought iron_worker
# zsh completion for wrought; also under its older name. The program itself knows what may follow.
_wrought() {
    local line value
    local -a candidates
    for line in "${(@f)$("$words[1]" complete --current="$words[CURRENT]" -- "${(@)words[2,CURRENT-1]}" 2>/dev/null)}"; do
        value=${line%%$'\t'*}
        [[ -z $value ]] || candidates+=("${value//:/\\:}:${line#*$'\t'}")
    done
    if (( $#candidates )); then
        _describe -V wrought candidates
    else
        _files
    fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _wrought "$@"
else
    compdef _wrought wrought iron_worker
fi
