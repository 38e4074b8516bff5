#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes a small OCI image layout from this machine's static busybox: no network, no root, the same
# bytes each time. Three layers: programs (gzip), /etc (plain tar), changes with a whiteout (gzip).
#
# usage: tools/make-test-image.sh OUT [--tar] [--name NAME]
#   OUT     folder to make (or file, with --tar); replaced when it is there
#   NAME    org.opencontainers.image.ref.name of the image, default localhost/bb:latest
set -euo pipefail
umask 022
export LC_ALL=C

die() { echo "make-test-image.sh: $*" >&2; exit 1; }

out='' as_tar=false name=localhost/bb:latest
while [ $# -gt 0 ]; do
	case $1 in
	--tar) as_tar=true ;;
	--name) name=${2:?--name needs a value}; shift ;;
	-h | --help) sed -n '3,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
	-*) die "unknown option $1 (see --help)" ;;
	*) [ -z "$out" ] || die "one OUT, please"; out=$1 ;;
	esac
	shift
done
[ -n "$out" ] || die "usage: tools/make-test-image.sh OUT [--tar] [--name NAME]"
if [ -d "$out" ] && { $as_tar || [ ! -e "$out/oci-layout" ]; } && [ -n "$(ls -A "$out")" ]; then
	die "$out is a folder and no OCI layout; not replaced"
fi
busybox=${BUSYBOX:-$(command -v busybox)} || die "no busybox here: apt-get install busybox-static"
ldd "$busybox" >/dev/null 2>&1 && die "$busybox is not static: apt-get install busybox-static"
case $(uname -m) in
x86_64) arch=amd64 ;;
aarch64) arch=arm64 ;;
riscv64 | ppc64le | s390x) arch=$(uname -m) ;;
*) die "which OCI architecture is $(uname -m)?" ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
layout=$work/layout
mkdir -p "$layout/blobs/sha256" "$work"/{1,2,3}

# put FILE: moves it among the blobs; sets $digest and $size.
put() {
	digest=$(sha256sum "$1" | cut -d' ' -f1)
	size=$(stat -c %s "$1")
	mv "$1" "$layout/blobs/sha256/$digest"
}

# layer FOLDER gzip|plain: adds it to $layers and $diff_ids.
layers='' diff_ids=''
layer() {
	local media=application/vnd.oci.image.layer.v1.tar
	tar -C "$work/$1" --sort=name --mtime=@1700000000 --owner=0 --group=0 --numeric-owner \
		--format=pax --pax-option=delete=atime,delete=ctime -cf "$work/$1.tar" .
	diff_ids+="${diff_ids:+,}\"sha256:$(sha256sum "$work/$1.tar" | cut -d' ' -f1)\""
	if [ "$2" = gzip ]; then
		gzip -n -6 "$work/$1.tar"
		mv "$work/$1.tar.gz" "$work/$1.tar"
		media+=+gzip
	fi
	put "$work/$1.tar"
	layers+="${layers:+,}{\"mediaType\":\"$media\",\"digest\":\"sha256:$digest\",\"size\":$size}"
}

# Programs: hard links in /bin, symlinks elsewhere, so that both kinds are exercised.
mkdir -p "$work"/1/{bin,sbin,usr/bin,usr/sbin,dev,proc,sys,run,root,home,var/log,opt/old}
install -m 755 "$busybox" "$work/1/bin/busybox"
"$busybox" --list-full | while read -r applet; do
	case $applet in
	bin/busybox | linuxrc) ;;
	bin/*) ln -f "$work/1/bin/busybox" "$work/1/$applet" ;;
	*) mkdir -p "$work/1/${applet%/*}"; ln -sfn /bin/busybox "$work/1/$applet" ;;
	esac
done
mkdir -m 1777 "$work/1/tmp" "$work/1/var/tmp"
chmod 700 "$work/1/root"
echo 'gone in the third layer' >"$work/1/opt/old/file"
layer 1 gzip

mkdir -p "$work/2/etc"
cat >"$work/2/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/:/bin/false
user:x:1000:1000:user:/home:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
END
cat >"$work/2/etc/group" <<'END'
root:x:0:
daemon:x:1:
audio:x:29:user
user:x:1000:
nogroup:x:65534:
END
printf 'root:*:19700::::::\nuser:*:19700::::::\n' >"$work/2/etc/shadow"
chmod 600 "$work/2/etc/shadow"
printf 'hosts: files dns\n' >"$work/2/etc/nsswitch.conf"
printf 'ID=bb\nNAME="busybox test image"\n' >"$work/2/etc/os-release"
layer 2 plain

mkdir -p "$work/3/opt"
: >"$work/3/opt/.wh.old"
echo 'from the third layer' >"$work/3/opt/new"
layer 3 gzip

cat >"$work/config" <<END
{"architecture":"$arch","os":"linux","created":"2023-11-14T22:13:20Z","config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Cmd":["sh"],"WorkingDir":"/"},"rootfs":{"type":"layers","diff_ids":[$diff_ids]}}
END
put "$work/config"
config="{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:$digest\",\"size\":$size}"
cat >"$work/manifest" <<END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":$config,"layers":[$layers]}
END
put "$work/manifest"
cat >"$layout/index.json" <<END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:$digest","size":$size,"annotations":{"org.opencontainers.image.ref.name":"$name"},"platform":{"architecture":"$arch","os":"linux"}}]}
END
echo '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"

if $as_tar; then
	tar -C "$layout" --sort=name --mtime=@1700000000 --owner=0 --group=0 --numeric-owner \
		-cf "$work/out.tar" oci-layout index.json blobs
	mkdir -p "$(dirname "$out")"
	mv -f "$work/out.tar" "$out"
else
	rm -rf "$out"
	mkdir -p "$(dirname "$out")"
	mv "$layout" "$out"
fi
