#!/bin/sh
# SPDX-License-Identifier: MIT
# The shipped sluicectl, with its libraries, against the module: what it does, and every refusal with
# its words, its exit code, and nothing changed.
set -eu
make -s -C "$(dirname "$0")/../.." build/tests/config_apply
exec "$(dirname "$0")/module_run.sh" sluicectl --timeout 250 --add build/bin/sluicectl --add build/tests/config_apply \
	--add "$(command -v jq)" --add "$(command -v setpriv):/root/setpriv"
