# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion of sluicectl for bash, and for zsh in bash's clothes (_sluicectl): so no mapfile, and no
# variable called words. make install puts it where bash-completion finds it; or source it.

# Settings, each with the = that its value follows.
_sluicectl_settings() { sluicectl set --help 2>/dev/null | sed -n '/^settings/,$s/^  \([a-z_]*\) .*/\1=/p'; }

# Cameras that are attached, if the module is there to ask.
_sluicectl_cameras() { sluicectl show 2>/dev/null | sed -n '2,$s/^\([A-Za-z0-9_-]*\) .*/\1/p'; }

# COMPREPLY from lines.
_sluicectl_reply() {
	local line
	COMPREPLY=()
	while IFS= read -r line; do COMPREPLY+=("$line"); done
}

_sluicectl() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' i offers=''
	local commands='show attach detach set mask stats watch snapshot enrol retune summaries doctor'
	local place=0 # of the word behind the command, options not counted

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case "${COMP_WORDS[i]}" in
		-*) ;;
		*) if [ -z "$command" ]; then command=${COMP_WORDS[i]}; else place=$((place + 1)); fi ;;
		esac
	done
	case "$command $previous" in
	*' --mode') offers='capture tap' ;;
	*' --format') offers='yuyv uyvy nv12 nv21 yu12 grey rgb3 bgr3 mjpeg' ;;
	*' --dir' | *' --state') _sluicectl_reply < <(compgen -d -- "$current"); return ;;
	*' --token-file' | *' --config' | *' --ca') _sluicectl_reply < <(compgen -f -- "$current"); return ;;
	*' --name' | *' --size' | *' --fps' | *' --arena' | *' --token' | *' --cloud' | *' --camera' | *' --limit' | *' --since' | *' --privacy' | *' --ignore' | *' --zone') return ;;
	esac
	[ -n "$offers" ] || case "$command" in
	'') offers="$commands --json --help" ;;
	attach)
		offers='--mode --name --format --size --fps --arena --privacy --ignore --zone --json'
		if [ $place -eq 0 ]; then offers="$offers $(compgen -G '/dev/video*')"; else offers="$offers $(_sluicectl_settings)"; fi
		;;
	set)
		offers='--if-version= --json'
		if [ $place -eq 0 ]; then offers=$(_sluicectl_cameras); else offers="$offers $(_sluicectl_settings)"; fi
		;;
	mask)
		offers='--if-version= --privacy --ignore --zone --clear --json'
		[ $place -gt 0 ] || offers=$(_sluicectl_cameras)
		;;
	detach | snapshot | show) offers="--json $([ $place -gt 0 ] || _sluicectl_cameras)" ;;
	stats) offers="--latency --follow --json $([ $place -gt 0 ] || _sluicectl_cameras)" ;;
	watch) offers='--json' ;;
	enrol) offers='--token --token-file --dir --json' ;;
	retune)
		offers='--cloud --token-file --ca --if-version= --json'
		[ $place -gt 0 ] || offers="$offers list show look apply rollback mode"
		[ "$previous" != mode ] || offers="$offers off propose apply node"
		;;
	summaries)
		offers='--dir --camera --limit --since --json'
		[ $place -gt 0 ] || offers="$offers list show follow"
		;;
	doctor) offers='--dir --cloud --state --config --json' ;;
	esac
	case "$current" in
	preset=*) offers='preset=low preset=medium preset=high' ;;
	esac
	_sluicectl_reply < <(compgen -W "$offers --help" -- "$current")
	# What ends with = waits for its value.
	[ ${#COMPREPLY[@]} -ne 1 ] || [[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null || true
}
complete -F _sluicectl sluicectl
