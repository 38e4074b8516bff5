#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cellar-image as a program: what it prints, its status, layouts that other tools made, a cut and a
# spoilt image, kill -9, a full disk.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"

root=$T_DIR/lib
import() { cellar-image --root "$root" import "$@"; }
layout=$(t_image)

t_status "import of a folder" 0 import "$layout"
t_match "one line says what came" \
	'^Imported localhost/bb:latest \(sha256:[0-9a-f]{12}, 3 layers, [0-9.]+ MB\)$' "$T_OUT"
t_is "no progress bar without a terminal" "" "$T_ERR"
t_status "import of a tar under another name" 0 bash -c \
	"tar -C '$layout' -cf '$T_DIR/a.tar' . && cellar-image --root '$root' import --name=other:1 --json '$T_DIR/a.tar'"
t_match "JSON on request" '^\{"name":"localhost/other:1","id":"sha256:.*"layers":3,' "$T_OUT"
t_is "layers are shared" 4 "$(find "$root/layers" -mindepth 1 -maxdepth 1 | wc -l)"

# A terminal gets a bar, and the line is wiped at the end.
bar=$(TERM=xterm script -qec "cellar-image --root '$T_DIR/lib2' import '$layout'" /dev/null </dev/null | tr -d '\r')
t_match "a progress bar on a terminal" '\[=+\] [0-9.]+ of [0-9.]+ MB' "$bar"
t_match "and the line after it" 'Imported localhost/bb:latest' "$bar"

# What is unpacked is what is in the tar.
mkdir "$T_DIR/want" "$T_DIR/got"
base=$(grep -o '"layers":.*' "$layout"/blobs/sha256/"$(grep -o 'sha256:[0-9a-f]*' \
	"$layout/index.json" | head -n 1 | cut -d: -f2)" | grep -o 'sha256:[0-9a-f]*' | head -n 1 | cut -d: -f2)
tar -C "$T_DIR/want" -xpzf "$layout/blobs/sha256/$base"
first=$(grep -o '"layers":\["[0-9a-f]*' "$root/images/localhost%2Fbb:latest" | cut -d'"' -f4)
tree() { (cd "$1" && find . -printf '%p %y %m %U %G %n %T@ %l\n' | sort); }
t_is "names, modes, owners, links and times are exact" "" \
	"$(diff <(tree "$T_DIR/want") <(tree "$root/layers/$first/fs") | head -n 5)"
t_is "contents are exact" "" "$(diff -r --no-dereference "$T_DIR/want" "$root/layers/$first/fs" | head -n 5)"

if command -v skopeo >/dev/null; then
	for kind in oci oci-archive; do
		t_status "skopeo makes $kind" 0 skopeo copy -q "oci:$layout:localhost/bb:latest" \
			"$kind:$T_DIR/$kind:localhost/skopeo:$kind"
		t_status "an image of skopeo's $kind" 0 import "$T_DIR/$kind"
		t_match "keeps its name" "Imported localhost/skopeo:$kind " "$T_OUT"
	done
else
	t_skip "images of skopeo" "not installed"
fi

refused() { # NAME PATTERN PATH
	local before
	before=$(cd "$root" && find . | sort)
	t_status "$1" 1 import "$3"
	t_match "$1: says so" "^cellar-image: import [^ ]+: $2" "$T_ERR"
	t_is "$1: in one line" 1 "$(wc -l <<<"$T_ERR")"
	t_is "$1: changes nothing" "" "$(diff <(echo "$before") <(cd "$root" && find . | sort))"
}
mkdir "$T_DIR/empty"
refused "a folder without a layout" 'no image: there is no file oci-layout' "$T_DIR/empty"
refused "no such path" 'No such file or directory' "$T_DIR/none"
refused "not a tar" 'neither a folder nor a tar' /etc/passwd
head -c 300000 "$T_DIR/a.tar" >"$T_DIR/cut.tar"
root=$T_DIR/lib3
import "$T_DIR/oci" >/dev/null 2>&1 || import "$layout" --name first >/dev/null
find "$root/content/sha256" -type f -size +100k -delete
refused "a cut tar" '.*(truncated|damaged|no )' "$T_DIR/cut.tar"
cp -r "$layout" "$T_DIR/spoilt"
printf X | dd of="$T_DIR/spoilt/blobs/sha256/$base" bs=1 seek=5000 conv=notrunc 2>/dev/null
refused "a spoilt layer" 'blob sha256:[0-9a-f]{64} is damaged: its content has digest' "$T_DIR/spoilt"

# Killed again and again, and then once not.
root=$T_DIR/lib4
for i in 1 2 3 4 5 6 7 8 9 10; do
	cellar-image --root "$root" import "$layout" >/dev/null 2>&1 &
	pid=$!
	sleep "0.0$i"
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
done
t_status "import after ten kills" 0 import "$layout"
t_is "no rubbish stays" 0 "$(find "$root/content/tmp" "$root/layers/tmp" -mindepth 1 | wc -l)"

root=$T_DIR/small/lib
mkdir "$T_DIR/small"
mount -t tmpfs -o size=2m tmpfs "$T_DIR/small"
t_defer "umount -l $T_DIR/small"
t_status "a full disk" 1 import "$layout"
t_match "a full disk is one clear sentence" \
	"^cellar-image: import [^ ]+: No space left on the disk of $root: .*--root" "$T_ERR"
t_is "a full disk keeps nothing" 0 "$(find "$root/content" "$root/layers" "$root/images" -mindepth 1 \
	! -name tmp ! -name sha256 | wc -l)"
mount -o remount,size=64m "$T_DIR/small"
t_status "with room again it works" 0 import "$layout"
