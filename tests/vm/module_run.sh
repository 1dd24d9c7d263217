#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# usage: tests/vm/module_run.sh NAME [boot options]: boot a guest with the module and the test
# programs, and run tests/vm/guest/module_NAME.sh in it.
#
# Allowed: "Call Trace". Debian's 6.1 vivid prints a stack when it is late with a frame (negative
# argument of schedule_timeout), on any busy host. Real trouble has lines of its own, which count.
set -eu
cd "$(dirname "$0")/../.."
name=$1
shift
. tests/vm/common.sh
tests/vm/kbuild >build/kbuild.log 2>&1 || { cat build/kbuild.log; exit 1; }
make -s guest-programs
exec tests/vm/boot --script "tests/vm/guest/module_$name.sh" --out "build/vm$(kernel_suffix)/module_$name" \
	--module --add build/vm/prog/control --add build/vm/prog/ringread \
	--add build/vm/prog/netfuzz --add build/vm/prog/netdump --add build/vm/prog/ringattack \
	--add build/vm/prog/camapp --add build/vm/prog/pixels \
	--add tests/vm/guest/module.sh:/root/module.sh --allow 'Call Trace' "$@"
