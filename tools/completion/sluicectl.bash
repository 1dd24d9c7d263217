# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion of sluicectl for bash. make install puts it where bash-completion finds it; or source it.

# Settings, each with the = that its value follows.
_sluicectl_settings() { sluicectl set --help 2>/dev/null | sed -n '/^settings/,$s/^  \([a-z_]*\) .*/\1=/p'; }

# Cameras that are attached, if the module is there to ask.
_sluicectl_cameras() { sluicectl show 2>/dev/null | sed -n '2,$s/^\([A-Za-z0-9_-]*\) .*/\1/p'; }

_sluicectl() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' i words=''
	local commands='show attach detach set mask stats watch snapshot enrol summaries doctor'
	local place=0 # of the word behind the command, options not counted

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case "${COMP_WORDS[i]}" in
		-*) ;;
		*) if [ -z "$command" ]; then command=${COMP_WORDS[i]}; else place=$((place + 1)); fi ;;
		esac
	done
	case "$command $previous" in
	*' --mode') words='capture tap' ;;
	*' --format') words='yuyv uyvy nv12 nv21 yu12 grey rgb3 bgr3 mjpeg' ;;
	*' --dir' | *' --state') mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
	*' --token-file') mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
	*' --name' | *' --size' | *' --fps' | *' --arena' | *' --token' | *' --cloud' | *' --camera' | *' --limit' | *' --since' | *' --privacy' | *' --ignore' | *' --zone') return ;;
	esac
	[ -n "$words" ] || case "$command" in
	'') words="$commands --json --help" ;;
	attach)
		words='--mode --name --format --size --fps --arena --privacy --ignore --zone --json'
		if [ $place -eq 0 ]; then words="$words $(compgen -G '/dev/video*')"; else words="$words $(_sluicectl_settings)"; fi
		;;
	set)
		words='--if-version= --json'
		if [ $place -eq 0 ]; then words=$(_sluicectl_cameras); else words="$words $(_sluicectl_settings)"; fi
		;;
	mask)
		words='--if-version= --privacy --ignore --zone --clear --json'
		[ $place -gt 0 ] || words=$(_sluicectl_cameras)
		;;
	detach | snapshot | show) words="--json $([ $place -gt 0 ] || _sluicectl_cameras)" ;;
	stats) words="--latency --follow --json $([ $place -gt 0 ] || _sluicectl_cameras)" ;;
	watch) words='--json' ;;
	enrol) words='--token --token-file --dir --json' ;;
	summaries)
		words='--dir --camera --limit --since --json'
		[ $place -gt 0 ] || words="$words list show follow"
		;;
	doctor) words='--dir --cloud --state --config --json' ;;
	esac
	case "$current" in
	preset=*) words='preset=low preset=medium preset=high' ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words --help" -- "$current")
	# What ends with = waits for its value.
	[ ${#COMPREPLY[@]} -ne 1 ] || [[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null || true
}
complete -F _sluicectl sluicectl
