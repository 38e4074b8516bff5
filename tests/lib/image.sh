# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For tests that need an image of their own: sourced after common.sh.

# t_image_of NAME OUT FOLDER CONFIG: an OCI layout at OUT with one layer, FOLDER as it is (owners,
# extended attributes), and with CONFIG, JSON, as the configuration's "config"; with the layers of
# the test image below when BASE is set.
t_image_of() {
	local name=$1 out=$2 folder=$3 config=$4 blobs=$2/blobs/sha256 base='' diffs='[]' layers='[]' tar manifest
	put() { # FILE: moves it among the blobs, prints its digest
		local digest
		digest=$(sha256sum "$1" | cut -d' ' -f1)
		mv "$1" "$blobs/$digest"
		echo "$digest"
	}
	rm -rf "$out"
	mkdir -p "$blobs"
	if [ -n "${BASE:-}" ]; then
		base=$(t_image)
		cp "$base"/blobs/sha256/* "$blobs/"
		manifest=$blobs/$(jq -r '.manifests[0].digest' "$base/index.json" | cut -d: -f2)
		layers=$(jq -c .layers "$manifest")
		diffs=$(jq -c .rootfs.diff_ids "$blobs/$(jq -r .config.digest "$manifest" | cut -d: -f2)")
	fi
	tar -C "$folder" --numeric-owner --xattrs --xattrs-include='*' --sparse --format=pax -cf "$out/layer" .
	tar=$(put "$out/layer")
	jq -nc --argjson c "$config" --argjson d "$diffs" --arg l "sha256:$tar" --arg arch "$(case $(uname -m) in
		x86_64) echo amd64 ;; aarch64) echo arm64 ;; *) uname -m ;; esac)" \
		'{architecture: $arch, os: "linux", config: $c, rootfs: {type: "layers", diff_ids: ($d + [$l])}}' >"$out/config"
	config=$(put "$out/config")
	jq -nc --argjson l "$layers" --arg c "sha256:$config" --arg t "sha256:$tar" \
		--argjson cs "$(stat -c %s "$blobs/$config")" --argjson ts "$(stat -c %s "$blobs/$tar")" \
		'{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
		  config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $c, size: $cs},
		  layers: ($l + [{mediaType: "application/vnd.oci.image.layer.v1.tar", digest: $t, size: $ts}])}' >"$out/manifest"
	manifest=$(put "$out/manifest")
	jq -nc --arg n "$name" --arg m "sha256:$manifest" --argjson s "$(stat -c %s "$blobs/$manifest")" \
		'{schemaVersion: 2, manifests: [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $m, size: $s,
		  annotations: {"org.opencontainers.image.ref.name": $n}}]}' >"$out/index.json"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$out/oci-layout"
}
