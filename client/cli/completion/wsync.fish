# Completion of wsync for fish: wsync completion fish | source

function __wsync_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    # Without its quotes, of which the last may be missing.
    set -l plain (string unescape -- "$current" 2>/dev/null
        or string unescape -- "$current\"" 2>/dev/null
        or string unescape -- "$current'" 2>/dev/null)
    set -l lines (command wsync __complete -- $words[2..-1] "$plain" 2>/dev/null)
    # In --option=PATH only what follows is a path.
    set -l option (string match -r -- '^-[^=]*=' "$current")
    set -l path (string replace -- "$option" '' "$current")
    switch "$lines[1]"
        case files
            printf "$option%s\n" (__fish_complete_path "$path")
        case directories
            printf "$option%s\n" (__fish_complete_directories "$path" '')
    end
    for line in $lines[2..-1]
        echo $line
    end
end

complete -c wsync -f -a '(__wsync_complete)'
