"""The completion script of each shell.

Each asks the program itself: it sets ``_FLASHSALE_COMPLETE`` and gets one candidate a line, its
meaning after a tab; or `:files` or `:dirs`, for the shell to complete those. Those of bash, zsh and
fish are tested in their shells; PowerShell's was written after Microsoft's documents of
`Register-ArgumentCompleter`, and never run.
"""

from __future__ import annotations

BASH = r"""
_flashsale() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            :files) type compopt &>/dev/null && compopt -o default ;;
            :dirs) type compopt &>/dev/null && compopt -o default -o dirnames ;;
            *) COMPREPLY+=("$line") ;;
        esac
    done < <(_FLASHSALE_COMPLETE=bash COMP_LINE="${COMP_LINE:0:COMP_POINT}" "$1" 2>/dev/null)
}
complete -F _flashsale flashsale
"""
ZSH = r"""
#compdef flashsale
_flashsale() {
    local line value
    local -a items
    for line in "${(@f)$(_FLASHSALE_COMPLETE=zsh COMP_WORDS="${(F)${(@Q)words[1,CURRENT]}}" \
            ${words[1]} 2>/dev/null)}"; do
        case $line in
            '') ;;
            :files) _files ;;
            :dirs) _files -/ ;;
            *)
                value=${line%%$'\t'*}
                items+=("${value//:/\\:}:${line#*$'\t'}")
                ;;
        esac
    done
    (( ${#items} )) && _describe -V flashsale items
}
if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then
    _flashsale "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
    compdef _flashsale flashsale
fi
"""
FISH = r"""
function __flashsale_complete
    set -l words (commandline -opc) (commandline -ct)
    set -lx _FLASHSALE_COMPLETE fish
    set -lx COMP_WORDS (string join \n -- $words | string collect -N)
    for line in ($words[1] 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path (commandline -ct)
            case :dirs
                __fish_complete_directories (commandline -ct)
            case '*'
                echo $line
        end
    end
end
complete -c flashsale -f -k -a '(__flashsale_complete)'
"""
POWERSHELL = r"""
Register-ArgumentCompleter -Native -CommandName flashsale -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $env:_FLASHSALE_COMPLETE = 'powershell'
    $length = $cursorPosition - $commandAst.Extent.StartOffset
    $env:COMP_LINE = $commandAst.ToString().PadRight($length).Substring(0, $length)
    try {
        flashsale | Where-Object { $_ -notmatch '^:' } | ForEach-Object {
            $value, $meaning = $_ -split "`t", 2
            if (-not $meaning) { $meaning = $value }
            $text = $value
            if ($value -match '[^\w./:=@%+-]') { $text = "'" + $value.Replace("'", "''") + "'" }
            [System.Management.Automation.CompletionResult]::new(
                $text, $value, 'ParameterValue', $meaning)
        }
    } finally {
        Remove-Item -Path @('Env:_FLASHSALE_COMPLETE', 'Env:COMP_LINE')
    }
}
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH, "powershell": POWERSHELL}
