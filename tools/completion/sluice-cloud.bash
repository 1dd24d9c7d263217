# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion of sluice-cloud for bash, and for zsh in bash's clothes (_sluice-cloud): so no mapfile, and
# no variable called words. make install puts it where bash-completion finds it; or source it.

# COMPREPLY from lines.
_sluice_cloud_reply() {
	local line
	COMPREPLY=()
	while IFS= read -r line; do COMPREPLY+=("$line"); done
}

# Options of a command that work on a sealed store.
_sluice_cloud_keys='--config --key-file --key-command --old-key-file --old-key-command'

# $1: command. Its options.
_sluice_cloud_options() {
	case "$1" in
	init) echo --data --name --offline-root --authority --force ;;
	run) echo --config --data --listen --port-file --device-life --digests --verbose --check --json --role --node \
		--key-file --key-command --old-key-file --old-key-command ;;
	token) echo --data --config --device --minutes --url --tenant ;;
	devices | revoke) echo --data --config --tenant ;;
	fsck) echo --data --repair --orphans --remove-orphans --json "$_sluice_cloud_keys" ;;
	rebuild-index | rekey) echo --data "$_sluice_cloud_keys" ;;
	migrate-index) echo --data --config ;;
	migrate-media) echo --data --check --json "$_sluice_cloud_keys" ;;
	export) echo --data --tenant "$_sluice_cloud_keys" ;;
	backup) echo --data --to --link --verify ;;
	restore) echo --from --data ;;
	user) echo --data --config --tenant --role ;;
	apitoken) echo --data --config --tenant --role --scopes --days ;;
	tenant) echo --data --config ;;
	audit) echo --data --config --tenant --limit --json ;;
	crl) echo --data --config ;;
	provision) echo --config --nats --ca --cert --key --partitions --replicas --lease --ack-wait --size --age --json ;;
	status) echo --data --node --json ;;
	jobs) echo --data --tenant --camera --json --from --to --span --kind --seconds --language --model --sensitivity --scale --join --longest --detector --against --config --key-file --key-command --old-key-file --old-key-command ;;
	quarantine) echo --data --json --output "$_sluice_cloud_keys" ;;
	esac
}

# $1: command. What it is told to do, in its first word.
_sluice_cloud_actions() {
	case "$1" in
	user) echo add role passwd disable enable drop list ;;
	apitoken) echo add revoke list ;;
	tenant) echo add list ;;
	jobs) echo list show start cancel run ;;
	quarantine) echo list export retry drop ;;
	esac
}

_sluice_cloud() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' i offers=''
	local commands='init run token devices revoke fsck rebuild-index migrate-index migrate-media export backup restore rekey user apitoken tenant audit crl status quarantine jobs provision'
	local place=0 # of the word behind the command, options not counted

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case "${COMP_WORDS[i]}" in
		--force | --digests | --verbose | --check | --json | --repair | --link) ;;
		-*) i=$((i + 1)) ;; # and its value
		*) if [ -z "$command" ]; then command=${COMP_WORDS[i]}; else place=$((place + 1)); fi ;;
		esac
	done
	case "$previous" in
	--span) offers='hour day' ;;
	--kind) offers=period ;;
	--language) offers='en zh' ;;
	--role) offers='viewer operator admin'; [ "$command" != run ] || offers='all ingest worker api' ;;
	--scopes) offers='read media settings enrol admin' ;;
	--to | --from) [ "$command" = jobs ] || _sluice_cloud_reply < <(compgen -d -- "$current"); return ;;
	--data | --verify | --offline-root | --authority) _sluice_cloud_reply < <(compgen -d -- "$current"); return ;;
	--config | --key-file | --old-key-file | --port-file | --output | --ca | --cert | --key) _sluice_cloud_reply < <(compgen -f -- "$current"); return ;;
	--name | --listen | --node | --device-life | --device | --camera | --seconds | --minutes | --url | --tenant | --days | --limit | --key-command | --old-key-command | --nats | --partitions | --replicas | --lease | --ack-wait | --size | --age) return ;;
	*)
		offers="$(_sluice_cloud_options "$command") --help"
		[ -n "$command" ] || offers="$commands --help"
		[ $place -gt 0 ] || offers="$(_sluice_cloud_actions "$command") $offers"
		;;
	esac
	_sluice_cloud_reply < <(compgen -W "$offers" -- "$current")
	# an export's second word is a file
	[ "$command" != export ] || [ $place -ne 1 ] || [[ $current == -* ]] || _sluice_cloud_reply < <(compgen -f -- "$current")
}
complete -F _sluice_cloud sluice-cloud
