#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctr image ls, inspect, tag, rm, prune, save, and what a short name stands for.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"

c() { ctr --root "$T_DIR/lib" --runroot "$T_DIR/run" "$@"; }
layout=$(t_image)
blobs() { find "$T_DIR/lib/content/sha256" -type f | wc -l; }
layers() { find "$T_DIR/lib/layers" -mindepth 1 -maxdepth 1 ! -name tmp | wc -l; }

t_status "nothing to list" 0 c image ls
t_status "import" 0 c image import "$layout"
id=$(c image ls --format json | jq -r '.[0].id')
t_status "tag" 0 c image tag bb other:1
t_is "a tag has the same id" "$id" "$(c image inspect other:1 | jq -r '.[0].id')"
t_is "inspect lists all names" "localhost/bb:latest localhost/other:1" \
	"$(c image inspect bb | jq -r '.[0].names | join(" ")')"
t_is "inspect gives the configuration as it is" sh "$(c image inspect "${id#sha256:}" | jq -r '.[0].config.Cmd[0]')"
t_status "tag of nothing" 1 c image tag nope x
t_match "tag of nothing, in words" "^ctr: image tag: there is no image 'nope'; there are localhost/bb:latest, localhost/other:1: .ctr image import. brings others in$" "$T_ERR"
t_status "a wrong name" 1 c image tag bb 'A B'
t_match "a wrong name, in words" "^ctr: image tag: 'A B' is no name of an image" "$T_ERR"

# Short names: exact, then localhost/, then docker.io/library/; two that differ are refused.
t_status "a name of docker.io" 0 c image tag bb docker.io/library/bb
t_status "the same image under both names" 0 c image inspect bb
t_is "the nearer name counts" localhost/bb:latest "$(c image inspect bb | jq -r '.[0].name')"
cp -r "$layout" "$T_DIR/changed"
manifest=$(jq -r '.manifests[0].digest' "$T_DIR/changed/index.json")
config=$(jq -r .config.digest "$T_DIR/changed/blobs/sha256/${manifest#sha256:}")
jq -c '.author = "another"' "$T_DIR/changed/blobs/sha256/${config#sha256:}" >"$T_DIR/new"
digest=$(sha256sum <"$T_DIR/new" | cut -d' ' -f1) size=$(stat -c %s "$T_DIR/new")
mv "$T_DIR/new" "$T_DIR/changed/blobs/sha256/$digest"
jq -c --arg d "sha256:$digest" --argjson s "$size" '.config.digest = $d | .config.size = $s' \
	"$T_DIR/changed/blobs/sha256/${manifest#sha256:}" >"$T_DIR/new"
digest=$(sha256sum <"$T_DIR/new" | cut -d' ' -f1) size=$(stat -c %s "$T_DIR/new")
mv "$T_DIR/new" "$T_DIR/changed/blobs/sha256/$digest"
jq -c --arg d "sha256:$digest" --argjson s "$size" '.manifests[0].digest = $d | .manifests[0].size = $s' \
	"$T_DIR/changed/index.json" >"$T_DIR/new" && mv "$T_DIR/new" "$T_DIR/changed/index.json"
t_status "another image takes the name" 0 c image import --name docker.io/library/bb "$T_DIR/changed"
t_status "two that differ" 1 c image inspect bb
t_match "two that differ, in words" "'bb' may be localhost/bb:latest or docker.io/library/bb:latest, and these are different images: write the whole name" "$T_ERR"
t_status "not to be run either" 125 c run --rm --network none bb true
t_status "the whole name" 0 c image inspect docker.io/library/bb
t_status "the name without its tag" 0 c image inspect localhost/bb

# Platforms.
t_status "another platform" 1 c image import --platform linux/s390x "$layout"
t_match "another platform, in words" 'it holds no image for linux/s390x, only for linux/' "$T_ERR"
t_status "no platform" 1 c image import --platform 'linux/' "$layout"
t_match "no platform, in words" "'linux/' is no platform" "$T_ERR"
t_status "a limit can be set" 1 ctr --root "$T_DIR/lib2" image import --max-layer-files 3 "$layout"
t_match "a limit is named" 'more than the limit of 3 files in one layer' "$T_ERR"
t_status "and be raised" 0 ctr --root "$T_DIR/lib2" image import --max-layer-files 3000 "$layout"
t_status "a limit of nothing" 1 c image import --max-layer-files 0 "$layout"

# Saving.
t_status "save" 0 c image save -o "$T_DIR/s.tar" localhost/bb other:1 docker.io/library/bb
t_is "save: three names" 3 "$(tar -xOf "$T_DIR/s.tar" index.json | jq '.manifests | length')"
t_is "save: two images for docker" "2 3" "$(tar -xOf "$T_DIR/s.tar" manifest.json | jq -r '"\(length) \([.[].RepoTags[]] | length)"')"
t_is "save: each blob once" "" "$(tar -tf "$T_DIR/s.tar" | sort | uniq -d)"
t_is "save: the same bytes again" "$(sha256sum <"$T_DIR/s.tar")" \
	"$(c image save localhost/bb other:1 docker.io/library/bb | sha256sum)"
t_status "save of nothing" 1 c image save -o "$T_DIR/none.tar" nope
t_is "save of nothing leaves no file" "" "$(find "$T_DIR" -maxdepth 1 -name 'none.tar*')"
t_status "save to nowhere" 1 c image save -o "$T_DIR/no/x.tar" other:1
blob=$(find "$T_DIR/lib/content/sha256" -type f -size +100k | head -n 1)
cp "$blob" "$T_DIR/blob"
printf X | dd of="$blob" bs=1 seek=9000 conv=notrunc 2>/dev/null
t_status "save of a damaged blob" 1 c image save -o "$T_DIR/none.tar" other:1
t_match "save of a damaged blob, in words" 'blob sha256:[0-9a-f]{64} is damaged: its content has digest' "$T_ERR"
t_is "save of a damaged blob leaves no file" "" "$(find "$T_DIR" -maxdepth 1 -name 'none.tar*')"
cp "$T_DIR/blob" "$blob"

# Pruning.
t_status "prune with nothing to do" 0 c image prune
t_is "prune with nothing to do, in words" "Removed 0 blobs (0 B) and 0 layers that no image needed" "$T_OUT"
name=$(c run -d --network none other:1 sleep 100)
t_status "an image in use keeps its last name" 0 c image rm other:1 docker.io/library/bb
t_status "an image in use" 1 c image rm localhost/bb
t_status "an image in use, by force" 0 c image rm -f localhost/bb
t_is "its layers stay" 3 "$(layers)"
c image prune >/dev/null
t_is "and prune lets them" 3 "$(layers)"
c rm -f "$name" >/dev/null
t_status "prune takes what nobody needs" 0 c image prune
t_match "prune takes what nobody needs, in words" '^Removed 0 blobs \(0 B\) and 3 layers that no image needed$' "$T_OUT"
t_is "nothing is left" "0 0" "$(blobs) $(layers)"
# What a killed import leaves: whole blobs and layers without a name.
c image import "$layout" >/dev/null
rm "$T_DIR"/lib/images/*
t_match "blobs without a name" '^[1-9]' "$(blobs)"
t_status "prune after a killed import" 0 c image prune
t_match "prune after a killed import, in words" '^Removed 5 blobs \([0-9.]+ [KM]iB\) and 3 layers' "$T_OUT"
t_is "nothing is left of it" "0 0" "$(blobs) $(layers)"
c image import "$layout" >/dev/null
c image import --name two:1 "$T_DIR/changed" >/dev/null
name=$(c run -d --network none bb sleep 100)
t_status "prune -a" 0 c image prune -a
t_is "prune -a keeps what a container was made from" localhost/bb:latest "$(c image ls --format json | jq -r '.[].name')"
c rm -f "$name" >/dev/null
c image prune -a >/dev/null
t_is "and takes it after" "0 0" "$(blobs) $(layers)"
t_status "no such verb" 1 c image frobnicate
t_match "the verbs are named" 'there are import, ls, inspect, tag, rm, prune and save' "$T_ERR"
