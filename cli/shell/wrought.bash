# bash completion for wrought; also under its older name. The program itself knows what may follow.
_wrought() {
    local line words=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("${line%%$'\t'*}")
    done < <("${COMP_WORDS[0]}" complete --current="${COMP_WORDS[COMP_CWORD]}" -- "${words[@]}" 2>/dev/null)
}
complete -o default -F _wrought wrought iron_worker
