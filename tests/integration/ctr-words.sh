#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What somebody types who knows Docker: the lines that work as they stand, and for what Cellar has
# not one sentence that says what to write instead.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
. "$T_TOP/tests/lib/image.sh"
c_setup

# says NAME STATUS PATTERN ARG...: nothing on stdout, one line on stderr that begins so
says() {
	local name=$1 status=$2 pattern=$3
	shift 3
	t_status "$name" "$status" c "$@"
	t_match "$name: sentence" "^ctr: $pattern" "$T_ERR"
	t_is "$name: one line, on stderr" "1 " "$(wc -l <<<"$T_ERR") $T_OUT"
}
run_says() {
	says "$1" 125 "run: $2" run --rm "${@:3}" "$IMAGE" true
}

# ---- options of run that are not there ----
run_says "gpus" 'there is no --gpus: .*--device' --gpus all
run_says "link" 'there is no --link: .*by name.*--network-alias' --link web:db
run_says "runtime" 'there is no --runtime: ' --runtime=runc
run_says "a letter" 'there is no -a: .*ctr logs' -a stdout
run_says "what nobody knows" "unknown option --bogus; 'ctr run --help'" --bogus
run_says "no such log driver" '--log-driver: "syslog".*ctr logs -f' --log-driver syslog
run_says "no log" '--log-driver: there is always a log; .*--log-max-size' --log-driver=none
t_status "a log driver that means ours" 0 c run --rm --log-driver json-file --log-opt max-size=10m \
	"$IMAGE" echo hello
t_is "a log driver that means ours: output" hello "$T_OUT"

# ---- commands and options elsewhere ----
says "images" 125 'there is no command "images": .*ctr image ls' images
says "pull" 125 'there is no command "pull": .*ctr image import' pull alpine
says "cp" 125 'there is no command "cp": .*tar' cp a b
says "what nobody knows as a command" 125 'there is no command "bogus"; .*--help' bogus
says "image load" 1 'image: there is no command "load": .*ctr image import' image load
says "volume list" 1 'volume: there is no command "list": .*ctr volume ls' volume list
says "filter" 1 'ps: there is no --filter: .*jq' ps --filter name=a
says "last" 1 'ps: there is no -l: ' ps -l
says "templates" 1 'ps: --format: there are no templates; .*json.*jq' ps --format '{{.Names}}'
t_status "templates of inspect" 1 c inspect -f '{{.State.Pid}}' x
t_match "templates of inspect: sentence" 'there are no templates' "$T_ERR"
says "privileged exec" 125 'exec: there is no --privileged: ' exec --privileged x true
says "signal of stop" 1 'stop: there is no --signal: .*ctr kill' stop --signal INT x
says "an image that is not there" 125 \
	"run: there is no image 'alpine'; there is $IMAGE: .ctr image import. brings others in$" run alpine

says "an image by its address" 1 "image import: 'docker://alpine' is no path, .*skopeo copy docker://alpine oci-archive:FILE" \
	image import docker://alpine
says "no archive, in the words of the command" 1 'image import /etc/passwd: neither' image import /etc/passwd
t_is "one size, imported and listed" "$(c image import "$(t_image)" | sed 's/.*, \(.* MB\))/\1/')" \
	"$(c image ls | sed -n "s,^$IMAGE .*   ,,p")"

# ---- exposed ports ----
mkdir "$T_DIR/layer"
BASE=1 t_image_of localhost/exposing:latest "$T_DIR/exposing" "$T_DIR/layer" \
	'{"Cmd":["sleep","1000"],"Env":["PATH=/bin:/usr/bin"],"ExposedPorts":{"80/tcp":{},"53/udp":{}}}'
c image import "$T_DIR/exposing" >/dev/null
ports() { c port "$1" | grep -F 0.0.0.0 | sed 's/:[0-9]*$//' | sort | paste -sd ' '; }
c run -d -P --name all exposing >/dev/null
t_is "-P publishes what the image names" '53/udp -> 0.0.0.0 80/tcp -> 0.0.0.0' "$(ports all)"
c run -d --publish-all --expose 9000-9001 -p 127.0.0.1::80 --name more exposing >/dev/null
t_is "-P publishes what --expose names, and nothing twice" \
	'53/udp -> 0.0.0.0 9000/tcp -> 0.0.0.0 9001/tcp -> 0.0.0.0' "$(ports more)"
t_is "-P leaves -p alone" 1 "$(c port more 80/tcp | grep -c '^127.0.0.1:')"
c run -d --expose 80 --name hidden exposing >/dev/null
t_is "--expose alone publishes nothing" '' "$(ports hidden)"
run_says "a mapping is nothing to expose" '--expose: "8080:80" is not a port of the container' --expose 8080:80

# ---- variables of exec ----
printf '# a comment\nA=file\nB=file\n' >"$T_DIR/env"
t_is "exec's file of variables" 'file line' \
	"$(c exec --env-file "$T_DIR/env" -e B=line all sh -c 'echo $A $B')"
says "exec's file is not there" 125 'exec: --env-file: open .*No such file' exec --env-file "$T_DIR/nosuch" all true

# ---- tables ----
c run -d --name letters "$IMAGE" sh -c 'sleep 1000 # äöüäöüäöüäöüäöüäöü' >/dev/null
table=$(c ps -a)
before() { # WORD LINE: how many characters stand in front of it
	local LC_ALL=C.UTF-8 rest=${2%%"$1"*}
	echo ${#rest}
}
t_is "columns align below letters of two bytes" "$(before NAME "$(head -n 1 <<<"$table")")" \
	"$(before letters "$(grep 'letters$' <<<"$table")")"
t_is "a cut command stays UTF-8" '' "$(LC_ALL=C.UTF-8 grep -axv '.*' <<<"$table")"

on_terminal() { # COLUMNS ARG...: `ctr ps` on a terminal of so many columns
	script -qec "stty rows 24 cols $1; ctr --root $C_ROOT --runroot $C_RUN ps ${*:2}" /dev/null </dev/null |
		tr -d '\r' | sed 's,^\^@,,'
}
t_is "a terminal of 80 columns: head" 'CONTAINER ID STATUS PORTS NAME' \
	"$(on_terminal 80 | grep -o 'CONTAINER ID.*' | tr -s ' ')"
t_match "a terminal of 80 columns: letters" '^[0-9a-f]{12}   Up [^ ]+ [a-z]+ +letters$' \
	"$(on_terminal 80 | grep letters)"
t_match "all columns on request" 'IMAGE .*COMMAND .*CREATED .*ADDRESS' "$(on_terminal 80 --no-trunc)"
t_match "a wide terminal" 'IMAGE .*COMMAND .*CREATED .*ADDRESS' "$(on_terminal 400)"
t_match "no terminal" 'IMAGE .*COMMAND .*CREATED .*ADDRESS' "$(c ps)"

# ---- help ----
for verb in run exec ps logs stop attach update "image import"; do
	# shellcheck disable=SC2086 # two words
	t_is "help of $verb at 80 columns" '' "$(ctr help $verb | awk 'length > 80')"
done
