# Completion of wsync for bash: source <(wsync completion bash)

_wsync() {
	# Bash cuts words at "=" and ":", which wsync has within words. They are put together
	# again where nothing stands between them.
	local rest=${COMP_LINE:0:COMP_POINT} words=() word i
	for ((i = 0; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if ((i == COMP_CWORD)); then
			word=${rest#"${rest%%[![:space:]]*}"} # up to the cursor
		fi
		if [[ $i -gt 1 && $rest != [[:space:]]* ]]; then
			words[${#words[@]} - 1]+=$word
		else
			words+=("$word")
			rest=${rest#"${rest%%[![:space:]]*}"}
		fi
		rest=${rest#"$word"}
	done
	local current=${words[${#words[@]} - 1]}

	# Without their quotes, as far as these are simple.
	local plain=()
	for word in "${words[@]:1}"; do
		word=${word//\\/} word=${word//\"/} word=${word//\'/}
		plain+=("$word")
	done

	local lines line paths
	mapfile -t lines < <(command wsync __complete -- "${plain[@]}" 2>/dev/null)
	paths=${lines[0]-}
	# What stands before the last "=" or ":" is not bash's word any more.
	local before=
	if [[ $current == *[=:]* ]]; then
		before=${current%"${current##*[=:]}"}
		[[ $before == *=* && $COMP_WORDBREAKS != *=* ]] && before=
		[[ $before == *:* && $COMP_WORDBREAKS != *:* ]] && before=
	fi
	COMPREPLY=()
	for line in "${lines[@]:1}"; do
		word=${line%%$'\t'*}
		[[ $word == "${plain[${#plain[@]} - 1]}"* ]] || continue
		[[ $word == *[=/] ]] && compopt -o nospace 2>/dev/null
		word=${word#"$before"}
		[[ $paths == words ]] || printf -v word %q "$word" # bash quotes paths itself
		COMPREPLY+=("$word")
	done
	case $paths in
	words) compopt -o filenames 2>/dev/null ;;
	files) compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "${plain[${#plain[@]} - 1]#"$before"}") ;;
	directories) compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "${plain[${#plain[@]} - 1]#"$before"}") ;;
	esac
}

complete -F _wsync wsync
