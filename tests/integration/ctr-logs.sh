#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The log of a container: rotation, a window of time, the last lines, following over rotations, and
# a disk that is full.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
c_setup
c_residue >"$T_DIR/before"

# numbers FROM TO
numbers() { seq -f 'line %.0f' "$1" "$2"; }

# ---- rotation ----
c run -d --name many --network none --log-max-size 20k --log-opt max-file=4 "$IMAGE" \
	sh -c 'i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo line $i; done' >/dev/null
c wait many >/dev/null
dir=$(c inspect many | jq -r '.[0].dir')
t_is "no more files than asked for" "log log.1 log.2 log.3" "$(cd "$dir" && echo log*)"
big=0
for file in "$dir"/log*; do [ "$(stat -c %s "$file")" -le 20480 ] || big=$((big + 1)); done
t_is "no file is larger than asked for" 0 "$big"
c logs many >"$T_DIR/all"
first=$(head -n 1 "$T_DIR/all" | cut -d' ' -f2)
t_is "all files are shown, in order, without a gap" "" \
	"$(numbers "$first" 2000 | diff -q - "$T_DIR/all")"
t_is "the last lines of all files" "$(numbers 601 2000 | tail -n 700 | md5sum)" \
	"$(c logs -n 700 many | md5sum)"
t_is "no line" "" "$(c logs -n 0 many)"
c rm many >/dev/null

# ---- following, over rotations ----
# A file takes some 20 lines; after 15 it waits for who follows, whom three files would not wait for.
mkdir "$T_DIR/steps"
c run -d --name slow --network none --log-max-size 1k --log-max-files 3 -v "$T_DIR/steps:/steps" "$IMAGE" sh -c \
	'i=0; while [ $i -lt 150 ]; do
		i=$((i+1)); echo line $i
		[ $((i % 15)) != 0 ] || until [ -e /steps/$i ]; do usleep 10000; done
	done' >/dev/null
c logs -f slow >"$T_DIR/followed" 2>"$T_DIR/followed.err" &
follower=$!
for ((i = 15; i <= 150; i += 15)); do
	t_wait 60 grep -qx "line $i" "$T_DIR/followed" || break
	: >"$T_DIR/steps/$i"
done
# Where it hangs, so that all ends.
for ((i = 15; i <= 150; i += 15)); do : >"$T_DIR/steps/$i"; done
wait $follower
t_is "following loses nothing over rotations" "" "$(numbers 1 150 | diff - "$T_DIR/followed" | head -n 5)"
t_is "and complains of nothing" "" "$(cat "$T_DIR/followed.err")"
c rm slow >/dev/null

# ---- times ----
c run -d --name timed --network none "$IMAGE" \
	sh -c 'echo early; sleep 2; echo late; echo bad >&2; sleep 1000' >/dev/null
t_wait 60 sh -c 'ctr --root "$0" --runroot "$1" logs timed 2>&1 | sort | xargs | grep -qx "bad early late"' "$C_ROOT" "$C_RUN"
late=$(c logs -t timed 2>/dev/null | grep late | cut -d' ' -f1)
t_is "since a time" "late" "$(c logs --since "$late" timed 2>/dev/null)"
t_is "until a time" "early" "$(c logs --until "$late" timed 2>/dev/null)"
t_is "since long ago" "early late" "$(c logs --since 1h timed 2>/dev/null | xargs)"
t_is "until long ago" "" "$(c logs --until 1h timed 2>/dev/null)"
t_is "the last line since" "late" "$(c logs --since 1h -n 2 timed 2>/dev/null)"
t_is "following ends at --until" "early" "$(c logs -f --until "$late" timed 2>/dev/null)"
t_status "wrong time" 1 c logs --since yesterday timed
t_match "wrong time: sentence" '^ctr: logs: --since: "yesterday" is not a time' "$T_ERR"
c rm -f timed >/dev/null

# ---- wrong options ----
t_status "wrong size" 125 c run --log-max-size big "$IMAGE" true
t_match "wrong size: sentence" '^ctr: run: --log-max-size: ' "$T_ERR"
t_status "unknown log option" 125 c run --log-opt compress=true "$IMAGE" true
t_match "unknown log option: sentence" '"compress=true" is unknown' "$T_ERR"

# ---- a full disk: the container goes on ----
mkdir "$T_DIR/small"
if mount -t tmpfs -o size=3m,nr_inodes=500 small "$T_DIR/small"; then
	t_defer umount -l "$T_DIR/small"
	C_ROOT_BIG=$C_ROOT
	C_ROOT=$T_DIR/small/lib
	c image import "$(t_image)" >/dev/null
	mkdir "$T_DIR/go"
	c run -d --name full --network none -v "$T_DIR/go:/go" "$IMAGE" sh -c \
		'echo begin; until [ -e /go/1 ]; do usleep 10000; done
		 i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo $i lost; done; : >/go/2
		 until [ -e /go/3 ]; do usleep 10000; done; echo end; exit 4' >/dev/null
	begun() { c logs full | grep -q begin; }
	t_wait 60 begun
	head -c 10m /dev/zero >"$C_ROOT/filler" 2>/dev/null
	: >"$T_DIR/go/1"
	t_wait 60 test -e "$T_DIR/go/2" && t_ok "a full disk does not hold the container back" ||
		t_fail "a full disk does not hold the container back" "it stands still"
	rm "$C_ROOT/filler"
	: >"$T_DIR/go/3"
	t_is "its status after that" 4 "$(c wait full)"
	c logs full >"$T_DIR/out" 2>"$T_DIR/err"
	t_match "what was written before and after is there" '^begin ([0-9]+ ?(l|lo|los)? ?)?end$' "$(sed '/lost/d' "$T_DIR/out" | xargs)"
	shown=$(grep -c lost "$T_DIR/out")
	told=$(sed -n 's/^ctr: logs: \([0-9]*\) line.* were dropped: No space left on device$/\1/p' "$T_DIR/err" |
		awk '{ n += $1 } END { print n + 0 }')
	# The line that the full disk cut may be shown as far as it came, and counted.
	t_match "every line is there or told as dropped" '^300[01]$' $((shown + told))
	c rm full >/dev/null

	# Nobody waits for this one; its status is written when there is room again.
	c run -d --name ends --network none -v "$T_DIR/go:/go" "$IMAGE" sh -c \
		'until [ -e /go/4 ]; do usleep 10000; done; exit 5' >/dev/null
	pid=$(c inspect ends | jq '.[0].pid')
	head -c 10m /dev/zero >"$C_ROOT/filler" 2>/dev/null
	: >"$T_DIR/go/4"
	t_wait 60 t_dead "$pid" || t_fail "an end on a full disk" "it goes on"
	rm "$C_ROOT/filler"
	code_of_ends() { c inspect ends | jq '.[0].exit_code'; }
	t_becomes "the status of an end on a full disk" 5 code_of_ends
	c rm ends >/dev/null
	C_ROOT=$C_ROOT_BIG
	# Its shim may hold the folder for a moment longer.
	t_wait 60 umount "$T_DIR/small" || t_fail "the small disk" "it stays mounted"
else
	t_skip "a full disk" "no tmpfs can be mounted"
fi

c_nothing_left "$T_DIR/before"
