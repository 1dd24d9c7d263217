#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The module as a fleet gets it: `make install-dkms`, then Debian's own dkms builds, signs and installs
# it for the kernel; the signature is right; a guest loads it, and one that enforces signatures, or
# is locked down as under Secure Boot, refuses it without and with a key that nobody enrolled; udev
# makes the ring's node what the rule says; options reach the module through modprobe.d.
#
# dkms is a script: it runs from its unpacked package, with all its directories below TEST_TMP.
set -eu
cd "$(dirname "$0")/../.."
export KERNEL=6.1 # whose headers are installed, with all that they depend on (later ones want pahole)
. tests/vm/common.sh
tmp=${TEST_TMP:-$(mktemp -d)}
udevadm=$(command -v udevadm) || die "udevadm is missing; make deps"
kernel=$(tests/vm/kernel)
release=$(cat "$kernel/release")
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)

make -s install-dkms DESTDIR="$tmp/root"
(cd "$tmp" && apt-get -q -o APT::Sandbox::User=root download dkms >apt.log 2>&1) || { cat "$tmp/apt.log"; exit 1; }
dpkg-deb -x "$tmp"/dkms_*.deb "$tmp/x"
mkdir -p "$tmp/var/lib/dkms" "$tmp/lib/modules/$release"
sed "s|/etc/dkms|$tmp/x/etc/dkms|g; s|/var/lib/dkms|$tmp/var/lib/dkms|g" "$tmp/x/usr/sbin/dkms" >"$tmp/dkms"
chmod 755 "$tmp/dkms"
run_dkms() {
	"$tmp/dkms" "$@" -m sluice -v "$version" -k "$release" --kernelsourcedir "$kernel/build" \
		--sourcetree "$tmp/root/usr/src" --dkmstree "$tmp/var/lib/dkms" --installtree "$tmp/lib/modules"
}
run_dkms install --no-depmod --no-initrd 2>&1 || { tail -n 20 "$tmp"/var/lib/dkms/sluice/*/build/make.log; exit 1; }
run_dkms status | tee "$tmp/status"
grep -q "installed" "$tmp/status"
ko=$(find "$tmp/lib/modules/$release/updates/dkms" -name 'sluice.ko*')
case "$ko" in *.xz) xz -d "$ko"; ko=${ko%.xz} ;; esac
[ "$(modinfo -F version "$ko")" = "$version" ] || die "the module's version is not that of dkms.conf"
[ "$(modinfo -F signer "$ko")" = "DKMS module signing key" ] || die "dkms has not signed the module"

# The signature is the file's end: module, CMS, 12 bytes whose last 4 are the length of the CMS, mark.
mark='~Module signature appended~'
size=$(stat -c %s "$ko")
[ "$(tail -c 28 "$ko")" = "$mark" ] || die "no signature at the end of the module"
sig=$((16#$(tail -c 32 "$ko" | head -c 4 | od -An -tx1 | tr -d ' ')))
tail -c $((sig + 40)) "$ko" | head -c "$sig" >"$tmp/signature"
head -c $((size - sig - 40)) "$ko" >"$tmp/unsigned"
openssl x509 -inform DER -in "$tmp/var/lib/dkms/mok.pub" -out "$tmp/mok.pem"
verify() {
	openssl cms -verify -binary -inform DER -in "$tmp/signature" -content "$1" -certfile "$tmp/mok.pem" \
		-CAfile "$tmp/mok.pem" -purpose any -noverify -out /dev/null 2>&1
}
verify "$tmp/unsigned" || die "the signature does not belong to the module"
head -c 1000 "$tmp/unsigned" >"$tmp/other"
! verify "$tmp/other" >/dev/null || die "openssl takes any signature"

# Under other names: boot strips what is called .ko, and with it the signature.
cp "$ko" "$tmp/signed"
out=build/vm$(kernel_suffix)/install
guest() {
	tests/vm/boot --script tests/vm/guest/install.sh --out "$out-$1" --timeout 120 --env "CASE=$1" \
		--add "$tmp/signed:/root/signed" --add "$tmp/unsigned:/root/unsigned" --append "$2" "${@:3}"
}
make -s guest-programs
echo "options sluice scalar=1" >"$tmp/sluice.conf"
guest open '' --add "$ko" --add tests/vm/guest/module.sh:/root/module.sh \
	--add build/vm/prog/control --add kmod/99-sluice.rules:/usr/lib/udev/rules.d/99-sluice.rules \
	--add "$tmp/sluice.conf:/etc/modprobe.d/sluice.conf" --add "$udevadm:/root/systemd-udevd" --add "$udevadm"
guest enforced 'module.sig_enforce=1'
guest locked 'lockdown=integrity'

# A kernel that is too old is refused by name.
run_dkms remove >/dev/null
release=5.10.0-1-amd64
mkdir -p "$tmp/lib/modules/$release"
if run_dkms build >"$tmp/old.log" 2>&1 || ! grep -qi 'BUILD_EXCLUSIVE' "$tmp/old.log"; then
	cat "$tmp/old.log"
	die "dkms does not refuse a kernel that is too old"
fi
