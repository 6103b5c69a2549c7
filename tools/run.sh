#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What `make run` boots, and where: tools/run.sh GUEST [OPTION...], with the options of run-qemu.sh and run-bochs.sh.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
guest=${1-}
shift || true

case $guest in
'' | demo) set -- "$@" ;;
memtest) set -- --kernel "$root/build/memtest86+x64.bin" --name memtest --mem 32M --append console=ttyS0,115200 "$@" ;;
*)
	echo "run: there is no GUEST=$guest; there are demo (the default) and memtest. For your own kernel see" \
		"./run-bochs.sh --help" >&2
	exit 2
	;;
esac

if why=$("$root/tools/has-nested-kvm.sh"); then
	echo "run: QEMU with nested KVM" >&2
	exec "$root/run-qemu.sh" "$@"
fi
echo "run: Bochs, since $why" >&2
exec "$root/run-bochs.sh" "$@"
