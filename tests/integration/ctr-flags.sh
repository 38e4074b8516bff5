#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctr run's flags that belong to no group: files of variables and labels, --cidfile, the way to stop,
# --init, --platform, --pull; what each gives, and what is refused in one sentence.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
c_setup
c_residue >"$T_DIR/before"

# refused NAME PATTERN ARG...: `ctr run --rm ARG...` with the image and `true` behind
refused() {
	local name=$1 pattern=$2
	shift 2
	t_status "$name" 125 c run --rm "$@" "$IMAGE" true
	t_match "$name: sentence" "^ctr: run: $pattern" "$T_ERR"
	t_is "$name: one line" 1 "$(wc -l <<<"$T_ERR")"
}
inside() { c run --rm "$@" 2>"$T_DIR/err"; }
of() { c inspect "$1" | jq -c ".[0].$2"; }

# ---- long names of what has a letter ----
t_is "long names" "b /tmp 7 mounted" "$(echo b | inside --interactive --env A=/tmp --workdir /tmp --user 7 \
	--volume "$T_DIR:/mounted" --publish 80 --hostname h --memory 64m --cpu-shares 512 --label a=b "$IMAGE" \
	sh -c 'read x; echo $x $(pwd) $(id -u) $(ls -d /mounted | cut -c 2-)')"
t_match "long names: a terminal" '^/dev/pts/0$' "$(script -qec "ctr --root $C_ROOT --runroot $C_RUN run \
	--rm --interactive --tty $IMAGE tty" /dev/null | tr -d '\r' | sed 's,^\^@,,')"

# ---- variables ----
printf '\xef\xbb\xbf# a comment\nA=1 2  \r\n\n  B="quoted" # kept\nT_OURS\nT_NOBODYS\nC=\nD=file\nE=a=b' \
	>"$T_DIR/env"
t_is "file of variables" 'A=1 2  |B="quoted" # kept|C=|D=line|E=a=b|T_OURS=ours' \
	"$(T_OURS=ours inside --env-file "$T_DIR/env" -e D=line "$IMAGE" env |
		grep -E '^([A-E]|T_[A-Z]*)=' | sort | paste -sd '|')"
echo A=second >"$T_DIR/env2"
t_is "the later file counts" second \
	"$(inside --env-file "$T_DIR/env" --env-file "$T_DIR/env2" "$IMAGE" sh -c 'echo $A')"
printf 'A=1\nX Y=1\n' >"$T_DIR/bad"
refused "a blank in a name" "--env-file: $T_DIR/bad: line 2: there is a blank in the name 'X Y'" \
	--env-file "$T_DIR/bad"
printf '\n\n=1\n' >"$T_DIR/bad"
refused "no name" "--env-file: $T_DIR/bad: line 3: there is no name" --env-file "$T_DIR/bad"
printf 'A=1\0B=2\n' >"$T_DIR/bad"
refused "no text" "--env-file: $T_DIR/bad: there is a NUL" --env-file "$T_DIR/bad"
refused "no such file of variables" '--env-file: open .*: No such file' --env-file "$T_DIR/nosuch"

# ---- labels, annotations ----
printf 'a.b=file\nc\n# no\nd=e f\n' >"$T_DIR/labels"
c run -d --name labelled --label-file "$T_DIR/labels" -l a.b=line --label g --annotation h=i \
	--annotation j "$IMAGE" sleep 1000 >/dev/null
t_is "labels" '{"a.b":"line","c":"","d":"e f","g":""}' "$(of labelled labels)"
t_is "annotations" '{"h":"i","j":""}' "$(of labelled annotations)"
t_is "annotations are in config.json" '["i",""]' \
	"$(c inspect labelled | jq -c '[.[0].config.annotations | .h, .j]')"
c rm -f labelled >/dev/null
refused "a label without key" '--label: "=x" has no key' -l =x
refused "an annotation without key" '--annotation: "=x" has no key' --annotation =x
refused "an annotation of ours" '--annotation: io.cellar.seccomp: keys with' \
	--annotation io.cellar.seccomp=off
refused "no such file of labels" '--label-file: open' --label-file "$T_DIR/nosuch"
printf 'a=b\nc d=e\n' >"$T_DIR/bad"
refused "a blank in a label" "--label-file: $T_DIR/bad: line 2" --label-file "$T_DIR/bad"

# ---- the id in a file ----
cid=$T_DIR/cid
id=$(c run -d --name written --cidfile "$cid" "$IMAGE" sleep 1000)
t_is "the id is written" "$id" "$(cat "$cid")"
refused "the file is there" "--cidfile: $cid is there already" --cidfile "$cid"
t_is "and stays as it was" "$id" "$(cat "$cid")"
c rm -f written >/dev/null
t_status "a failed run" 127 c run --rm --cidfile "$T_DIR/cid2" "$IMAGE" nosuch
t_is "a failed run leaves no file" "" "$(ls "$T_DIR"/cid2* 2>/dev/null)"
refused "a folder that is not there" '--cidfile: create .*No such file' --cidfile "$T_DIR/no/such"
t_is "and no container then" "" "$(c ps -aq)"

# ---- the way to stop ----
c run -d --name stops --stop-signal SIGUSR1 --stop-timeout 600 "$IMAGE" \
	sh -c 'trap "exit 9" USR1; echo up; while :; do sleep 0.1; done' >/dev/null
t_wait 60 sh -c "ctr --root $C_ROOT --runroot $C_RUN logs stops | grep -q up"
t_status "stop sends the signal that was asked for" 0 c stop stops
t_is "stop sends the signal that was asked for: status" 9 "$(of stops exit_code)"
t_is "inspect tells them" '["SIGUSR1",600]' \
	"$(c inspect stops | jq -c '[.[0] | .stop_signal, .stop_timeout_s]')"
c rm stops >/dev/null
c run -d --name deaf --stop-timeout 0 "$IMAGE" sleep 1000 >/dev/null
t_status "no patience" 0 c stop deaf
t_is "no patience: killed" 137 "$(of deaf exit_code)"
c rm deaf >/dev/null
c run -d --name rt --stop-signal RTMIN+3 "$IMAGE" \
	sh -c 'trap "exit 8" 37; echo up; while :; do sleep 0.1; done' >/dev/null
t_wait 60 sh -c "ctr --root $C_ROOT --runroot $C_RUN logs rt | grep -q up"
c stop -t 600 rt >/dev/null
t_is "a realtime signal" 8 "$(of rt exit_code)"
c rm rt >/dev/null
refused "a signal that is none" '--stop-signal: "SIGX" is not a signal' --stop-signal SIGX
refused "a realtime signal too many" '--stop-signal: "RTMIN.99" is not' --stop-signal RTMIN+99
refused "a patience that is none" '--stop-timeout: .-2. is not' --stop-timeout -2

# ---- a first process ----
t_is "--init: the program is its child" "/sbin/cellar-pid1 2" \
	"$(inside --init "$IMAGE" sh -c 'tr "\0" " " </proc/1/cmdline | cut -d" " -f1; echo $$' | paste -sd ' ')"
t_status "--init: status" 7 c run --rm --init "$IMAGE" sh -c 'exit 7'
t_status "--init: killed by a signal" 137 c run --rm --init "$IMAGE" sh -c 'kill -9 $$'
t_status "--init: no such program" 127 c run --rm --init "$IMAGE" nosuch
t_match "--init: no such program: sentence" '^cellar-pid1: exec nosuch: No such file' "$T_ERR"
t_status "--init: not executable" 126 c run --rm --init "$IMAGE" /etc/passwd
t_status "--init on a read-only root" 0 c run --rm --init --read-only "$IMAGE" true
c run -d --init --name zombies "$IMAGE" sh -c 'trap "exit 6" TERM
	sh -c "sleep 0.1 & exit"; echo up; while :; do sleep 0.1; done' >/dev/null
t_wait 60 sh -c "ctr --root $C_ROOT --runroot $C_RUN logs zombies | grep -q up"
t_wait 60 sh -c "! ctr --root $C_ROOT --runroot $C_RUN exec zombies ps -o stat,args | grep -q '^Z'" &&
	t_ok "--init reaps" || t_fail "--init reaps" "$(c exec zombies ps -o stat,args)"
t_status "--init passes signals on" 0 c stop -t 600 zombies
t_is "--init passes signals on: status" 6 "$(of zombies exit_code)"
t_is "inspect tells --init, and the command without it" '[true,"sh"]' \
	"$(c inspect zombies | jq -c '[.[0] | .init, .command[0]]')"
c rm zombies >/dev/null
t_status "nobody inside writes to it" 0 c run --rm --init --cap-add ALL "$IMAGE" \
	sh -c '! (echo x >/sbin/cellar-pid1) 2>/dev/null && ! (echo x >/proc/1/exe) 2>/dev/null'
out=$(script -qec "ctr --root $C_ROOT --runroot $C_RUN run --rm --init -it $IMAGE sh -c \
	'read x; echo got; exit 5'; echo status \$?" /dev/null < <(for _ in $(seq 60); do sleep 1; echo || break; done 2>/dev/null) | tr -d '\r')
t_match "--init with a terminal: it may be read" '^status 5$' "$out"

# ---- names, platform, pull ----
t_is "domain name" example.org "$(inside --domainname example.org "$IMAGE" cat /proc/sys/kernel/domainname)"
refused "a domain name that is none" '--domainname: "a b" must be' --domainname 'a b'
case $(uname -m) in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; riscv64) arch=riscv64 ;; esac
t_status "the image's platform" 0 c run --rm --platform "linux/$arch" "$IMAGE" true
t_status "the image's platform, in the kernel's words" 0 c run --rm --platform "$(uname -m)" "$IMAGE" true
refused "another platform" "--platform: image $IMAGE is for linux/$arch.* not for linux/s390x" \
	--platform linux/s390x
refused "a platform that is none" '--platform: "vax" is no platform' --platform vax
t_status "pull missing" 0 c run --rm --pull missing "$IMAGE" true
t_status "pull never" 0 c run --rm --pull=never "$IMAGE" true
refused "pull always" '--pull: Cellar cannot ask a registry yet' --pull always
refused "pull sometimes" '--pull: "sometimes" is unknown' --pull sometimes

c_nothing_left "$T_DIR/before"
