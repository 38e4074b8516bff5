#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes an OCI image layout of Debian 12 with packages in it, and prints its folder. Two layers: a
# base by debootstrap (gzip), the same for all images, and what the packages add (zstd).
#
# usage: tools/make-debian-image.sh [OPTION]... CACHE NAME [PACKAGE...]
#   CACHE           folder that keeps the base, downloaded packages and finished images: an image
#                   whose recipe has not changed is not made again
#   NAME            org.opencontainers.image.ref.name of the image
#   --setup FILE    script that runs in the image after the packages are installed
#   --config JSON   merged into the image's configuration: '{"Cmd":["nginx"]}'
#
# Mirrors and proxies are those of this machine's apt. Needs root: mounts and chroot, in a mount
# namespace of its own. Status 77 when the packages cannot be fetched.
set -euo pipefail
umask 022
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
suite=bookworm

die() { echo "make-debian-image.sh: $*" >&2; exit 1; }

if [ -z "${MAKE_DEBIAN_IMAGE_INSIDE:-}" ]; then
	MAKE_DEBIAN_IMAGE_INSIDE=1 exec unshare --mount --propagation slave -- "$BASH" "$0" "$@"
fi

setup='' config='{}' words=()
while [ $# -gt 0 ]; do
	case $1 in
	--setup) setup=${2:?--setup needs a value}; shift ;;
	--config) config=${2:?--config needs a value}; shift ;;
	-h | --help) sed -n '3,15s/^# \{0,1\}//p' "$0"; exit 0 ;;
	-*) die "unknown option $1 (see --help)" ;;
	*) words+=("$1") ;;
	esac
	shift
done
[ ${#words[@]} -ge 2 ] || die "usage: tools/make-debian-image.sh [OPTION]... CACHE NAME [PACKAGE...]"
name=${words[1]} packages=("${words[@]:2}")
mkdir -p "${words[0]}"
cache=$(cd "${words[0]}" && pwd)

# unreachable WHAT: without a mirror there is nothing to be made, which is no fault of ours
unreachable() {
	tail -n 5 "$log" >&2
	echo "make-debian-image.sh: cannot fetch $1 from $debian" >&2
	: >"$log"
	exit 77
}

# pack FOLDER FILE: a tar of it, owners, times and attributes exact
pack() {
	tar -C "$1" --sort=name --numeric-owner --format=pax --pax-option=delete=atime,delete=ctime \
		--xattrs --xattrs-include='security.*' --xattrs-include='user.*' -cf "$2" .
}

# put FILE: moves it among the blobs; sets $digest and $size
put() {
	digest=$(sha256sum "$1" | cut -d' ' -f1)
	size=$(stat -c %s "$1")
	mv "$1" "$layout/blobs/sha256/$digest"
}

make_base() {
	local tree=$work/made/tree
	mkdir -p "$work/base" "$cache/debootstrap"
	debootstrap --variant=minbase --cache-dir="$cache/debootstrap" \
		"$suite" "$tree" "$debian" >"$log" 2>&1 || unreachable "Debian's base"
	rm -rf "$tree"/var/cache/apt/*.bin "$tree"/var/lib/apt/lists/* "$tree"/var/log/*.log
	rm -f "$tree"/var/cache/apt/archives/*.deb "$tree/etc/hostname" "$tree/etc/resolv.conf"
	{
		echo "deb $debian $suite main"
		echo "deb $security $suite-security main"
	} >"$tree/etc/apt/sources.list"
	pack "$tree" "$work/base/layer"
	sha256sum "$work/base/layer" | cut -d' ' -f1 >"$work/base/diff-id"
	gzip -n -1 "$work/base/layer"
	mv "$tree" "$work/base/tree"
	sync -f "$work/base"
	rm -rf --one-file-system "$cache"/base-*
	mv "$work/base" "$base"
}

# What the packages need of the outside while they are installed; nothing of it is in the layer.
furnish() {
	local root=$work/root
	mount --bind "$cache/debs" "$root/var/cache/apt/archives"
	mount --bind "$cache/lists" "$root/var/lib/apt/lists"
	mount -t proc proc "$root/proc"
	mount -t tmpfs tmpfs "$root/tmp"
	mount --rbind /dev "$root/dev"
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	{
		apt-config dump | grep -E '^Acquire::(http|https|Retries)[: ].*"[^"]' || true
		echo 'Acquire::Check-Valid-Until "false";'
		echo 'Acquire::Languages "none";'
		echo 'DPkg::Options:: "--force-unsafe-io";'
		echo 'APT::Install-Recommends "false";'
		echo 'APT::Sandbox::User "root";'
		echo 'APT::Keep-Downloaded-Packages "true";'
		echo 'Dir::Cache::pkgcache "";'
		echo 'Dir::Cache::srcpkgcache "";'
	} >"$root/tmp/apt.conf"
}

in_root() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive HOME=/root \
		APT_CONFIG=/tmp/apt.conf ${http_proxy:+http_proxy="$http_proxy"} \
		chroot "$work/root" "$@" >"$log" 2>&1 9>&-
}

# From overlayfs' marks for what is gone to those of a layer.
whiteouts() {
	local gone
	while IFS= read -r -d '' gone; do
		[ "$(stat -c %t:%T "$gone")" = 0:0 ] || continue
		rm "$gone"
		: >"${gone%/*}/.wh.${gone##*/}"
	done < <(find "$work/made/upper" -type c -print0)
	getfattr -R -h -n trusted.overlay.opaque --only-values --absolute-names "$work/made/upper" \
		>/dev/null 2>&1 || return 0
	while IFS= read -r gone; do
		: >"$gone/.wh..wh..opq"
	done < <(getfattr -R -h -n trusted.overlay.opaque --absolute-names "$work/made/upper" 2>/dev/null |
		sed -n 's/^# file: //p')
}

make_layer() {
	mount -t overlay overlay \
		-o "lowerdir=$base/tree,upperdir=$work/made/upper,workdir=$work/made/overlay,redirect_dir=off" \
		"$work/root"
	furnish
	if [ ${#packages[@]} -gt 0 ]; then
		in_root apt-get update || unreachable "the lists of packages"
		in_root apt-get install -y --download-only "${packages[@]}" || unreachable "${packages[*]}"
		in_root apt-get install -y "${packages[@]}" || die "cannot install ${packages[*]}"
	fi
	if [ -n "$setup" ]; then
		cp "$setup" "$work/root/tmp/setup"
		in_root sh -e /tmp/setup || die "the setup of $name failed"
	fi
	rm "$work/root/usr/sbin/policy-rc.d" "$work/root/etc/resolv.conf"
	rm -rf "$work"/root/var/log/apt "$work"/root/var/log/*.log
	umount -R "$work/root"
	whiteouts
	pack "$work/made/upper" "$work/layer"
}

architecture=$(dpkg --print-architecture)
key() { sha256sum | cut -c1-16; }
base_key=$({ declare -f make_base pack; echo "$suite $architecture"; } | key)
image_key=$({
	declare -f make_layer furnish in_root
	echo "$base_key $name $config ${packages[*]}"
	[ -z "$setup" ] || cat "$setup"
} | key)
base=$cache/base-$base_key
image=$cache/${name//[\/:]/_}-$image_key

exec 9>"$cache/lock"
flock 9
if [ -e "$image/index.json" ]; then
	echo "$image"
	exit 0
fi

# mirror LABEL: what this machine's apt takes Debian from
mirror() {
	apt-get indextargets 'Created-By: Packages' "Label: $1" --format '$(REPO_URI)' | head -n 1
}
debian=$(mirror Debian)
security=$(mirror Debian-Security)
if [ -z "$debian" ]; then
	echo "make-debian-image.sh: apt's sources name no Debian mirror; run apt-get update, or add one" >&2
	exit 77
fi
# The host may be of another release than the image; mirrors have it beside the rest.
security=${security:-${debian%/}-security/}

# We have the lock: what is there was left by a maker that was killed.
rm -rf --one-file-system "$cache"/tmp.*
work=$(mktemp -d "$cache/tmp.XXXXXX")
log=$work/log
finish() {
	local status=$?
	[ $status = 0 ] || [ ! -s "$log" ] || tail -n 20 "$log" >&2
	umount -R "$work/root" "$work/made" 2>/dev/null || true
	rm -rf --one-file-system "$work"
}
trap finish EXIT
layout=$work/layout
mkdir -p "$cache/debs/partial" "$cache/lists/partial" "$layout/blobs/sha256" "$work"/{root,made}
# dpkg, apt and databases sync each file, which takes minutes on a disk and nothing in memory.
if [ "$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)" -gt 4000000 ]; then
	mount -t tmpfs tmpfs "$work/made"
fi
mkdir "$work"/made/{tree,upper,overlay}

[ -e "$base/tree" ] || make_base

ln "$base/layer.gz" "$work/base.gz"
put "$work/base.gz"
layers="{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"sha256:$digest\",\"size\":$size}"
diff_ids="\"sha256:$(cat "$base/diff-id")\""
if [ ${#packages[@]} -gt 0 ] || [ -n "$setup" ]; then
	make_layer
	diff_ids+=",\"sha256:$(sha256sum "$work/layer" | cut -d' ' -f1)\""
	zstd -q -1 --rm "$work/layer"
	put "$work/layer.zst"
	layers+=",{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+zstd\",\"digest\":\"sha256:$digest\",\"size\":$size}"
fi

jq -cn --argjson config "$config" --argjson diffs "[$diff_ids]" --arg arch "$architecture" '{
	architecture: $arch, os: "linux", created: (now | todate),
	config: ({Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
		Cmd: ["bash"], WorkingDir: "/"} * $config),
	rootfs: {type: "layers", diff_ids: $diffs}}' >"$work/config"
put "$work/config"
jq -cn --argjson layers "[$layers]" --arg digest "sha256:$digest" --argjson size "$size" '{
	schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
	config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $digest, size: $size},
	layers: $layers}' >"$work/manifest"
put "$work/manifest"
jq -cn --arg name "$name" --arg arch "$architecture" --arg digest "sha256:$digest" --argjson size "$size" '{
	schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json",
	manifests: [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $digest,
		size: $size, annotations: {"org.opencontainers.image.ref.name": $name},
		platform: {architecture: $arch, os: "linux"}}]}' >"$layout/index.json"
echo '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
# Recipes that are no more leave no images behind.
rm -rf "${image%-*}"-????????????????
mv "$layout" "$image"
echo "$image"
