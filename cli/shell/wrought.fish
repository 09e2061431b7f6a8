# fish completion for wrought; also under its older name. The program itself knows what may follow.
function __wrought_complete
    set -l words (commandline -opc)
    $words[1] complete --current=(commandline -ct) -- $words[2..-1] 2>/dev/null
end
complete -c wrought -a '(__wrought_complete)'
complete -c iron_worker -a '(__wrought_complete)'
