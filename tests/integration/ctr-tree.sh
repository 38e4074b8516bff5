#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A container's files as a whole: diff, export, cp of tars, extended attributes, a user namespace of its
# own; what a shell completes; events of images; an image's own shell.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
c_setup
# Ids of user namespaces are given out by a file that stays.
c run --rm --userns auto "$IMAGE" true >/dev/null 2>&1 || true
c_residue >"$T_DIR/before"
h=$T_DIR/host
mkdir -p "$h/vol" "$h/in/sub"
echo volume >"$h/vol/file"

change='mkdir /new && echo text >/new/file && ln -s file /new/link && ln /new/file /new/hard && mkfifo /new/fifo &&
	chown 7:8 /new/file && chmod 4711 /new/file && echo more >>/etc/passwd && rm /etc/group && mknod /new/null c 1 3 2>/dev/null; exec sleep 1000'
c run -d --name on --network none -v "$h/vol:/vol" "$IMAGE" sh -c "$change" >/dev/null
c run -d --name off --network none -v "$h/vol:/vol" "$IMAGE" sh -c "$change" >/dev/null
long=$(printf 'n%.0s' $(seq 120))
# It sleeps when all is changed.
there() { [ "$(c exec "$1" cat /proc/1/comm 2>/dev/null)" = sleep ]; }
for name in on off; do
	t_wait 60 there $name
	c exec $name sh -c "echo long >/new/$long; touch /new/late"
done
c stop -t 0 off >/dev/null
for name in on off; do
	t_status "$name: diff" 0 c diff $name
	t_is "$name: diff: added, changed, deleted" "A /new A /new/fifo A /new/file A /new/hard A /new/late A /new/link C /etc/passwd D /etc/group" \
		"$(grep -E ' /(new|etc/(passwd|group))' <<<"$T_OUT" | grep -vE "null|nnnn" | sort | xargs)"
	t_status "$name: export" 0 c export -o "$h/$name.tar" $name
	mkdir "$h/$name"
	tar -C "$h/$name" -xf "$h/$name.tar" --exclude 'new/null' || t_fail "$name: export" "tar cannot read it"
	t_is "$name: export: content, owner, mode" "text 7:8 4711 file long" \
		"$(cat "$h/$name/new/file") $(stat -c '%u:%g %a' "$h/$name/new/file") $(readlink "$h/$name/new/link") $(cat "$h/$name/new/$long")"
	t_is "$name: export: hard links, FIFOs" "2 fifo" "$(stat -c %h "$h/$name/new/hard") $(stat -c %F "$h/$name/new/fifo")"
	t_is "$name: export: what was deleted is not there" no "$([ -e "$h/$name/etc/group" ] && echo yes || echo no)"
	t_is "$name: export: what is mounted is empty" "" "$(find "$h/$name/vol" "$h/$name/proc" -mindepth 1)"
	t_status "$name: cp to stdout" 0 eval "c cp $name:/new - >'$h/new.tar'"
	t_is "$name: cp to stdout: names" "new/ new/file" "$(tar -tf "$h/new.tar" | grep -E '^new/(file)?$' | sort | xargs)"
	t_is "$name: cp to stdout: of a mount" "volume" "$(c cp $name:/vol/file - | tar -xO)"
	echo put >"$h/in/sub/file"
	chown 11:12 "$h/in/sub/file"
	ln -sfn /etc "$h/in/out"
	t_status "$name: cp from stdin" 0 eval "tar -C '$h/in' -cz . | c cp - $name:/new"
	t_is "$name: cp from stdin: what came" "put 11:12" \
		"$(c cp $name:/new/sub/file - | tar -xO) $(c cp $name:/new/sub/file - | tar -tv | awk '{print $2}' | tr / :)"
	t_is "$name: cp from stdin: nothing else" "" "$(c diff $name | grep /etc/file || true)"
	t_status "$name: cp from stdin of no tar" 1 eval "head -c 3000 /dev/urandom | c cp - $name:/new"
done
t_is "nothing is left of it" "" "$(ls -d "$C_ROOT"/cp-* 2>/dev/null)"
t_status "export of nobody" 1 c export nobody

# ---- extended attributes ----
if command -v setfattr >/dev/null && setfattr -n user.a -v 1 "$h/in/sub/file" 2>/dev/null; then
	c cp "$h/in/sub" on:/attr && c cp on:/attr "$h/attr"
	t_is "cp: extended attributes, there and back" 'user.a="1"' "$(getfattr -d "$h/attr/file" 2>/dev/null | grep user)"
	t_is "cp to stdout: extended attributes" 1 "$(c cp on:/attr - | tar --xattrs -C "$h" -x && getfattr --only-values -n user.a "$h/attr/file" 2>/dev/null)"
fi

# ---- a user namespace of its own ----
if c run --rm --userns auto "$IMAGE" true 2>/dev/null; then
	c run -d --name mapped --userns auto --network none -v mine:/mine "$IMAGE" sh -c 'chown 7:8 /etc/passwd; touch /mine/root; exec sleep 1000' >/dev/null
	t_wait 60 eval '[ -n "$(c exec mapped ls /mine)" ]'
	c stop -t 0 mapped >/dev/null
	owners() { c cp -a "mapped:$1" "$h/got" && stat -c '%u:%g' "$h/got" && rm -rf "$h/got"; }
	t_is "--userns auto: of a stopped one: owners" "0:0 7:8 0:0" "$(for file in /etc/group /etc/passwd /mine/root; do owners $file; done | xargs)"
	t_status "--userns auto: into a stopped one" 0 c cp -a "$h/in/sub/file" mapped:/etc/put
	t_status "--userns auto: into its volume" 0 c cp "$h/in/sub/file" mapped:/mine/put
	c start mapped >/dev/null
	t_is "--userns auto: as it sees that" "11:12 0:0 0:0" "$(c exec mapped stat -c '%u:%g' /etc/put /mine/put /etc | xargs)"
	t_status "--userns auto: export" 0 eval "c export mapped | tar -tv >'$h/list'"
	t_is "--userns auto: export: owners" "0/0 7/8" "$(awk '$6 == "etc/group" || $6 == "etc/passwd" {print $6, $2}' "$h/list" | sort | awk '{print $2}' | xargs)"
	c rm -f mapped >/dev/null
	c volume rm mine >/dev/null
fi

# ---- what a shell completes ----
words() { ctr completion words --root "$C_ROOT" --runroot "$C_RUN" "$@" | cut -f1 | xargs; }
t_is "completion: commands" "export" "$(words exp)"
t_is "completion: options" "--detach --detach-keys" "$(words run --det | tr ' ' '\n' | sort | xargs)"
t_is "completion: containers" "off on" "$(words stop o | tr ' ' '\n' | sort | xargs)"
t_is "completion: a path in one" "on:" "$(words cp on)"
t_is "completion: images" "$IMAGE" "$(words run --rm "${IMAGE%:*}")"
t_is "completion: a verb's verbs" "prune" "$(words image pr)"
t_is "completion: their options" "--all" "$(words image prune --a)"
t_is "completion: not what belongs to the program" "" "$(words run --rm "$IMAGE" --d)"
for shell in bash zsh fish; do
	t_status "completion for $shell" 0 ctr completion $shell
	! command -v $shell >/dev/null || t_status "completion for $shell: it reads it" 0 $shell -n <(echo "$T_OUT")
done
t_status "completion for no shell" 1 ctr completion csh
t_is "completion in bash" "export" "$(PATH=$CELLAR_BIN:$PATH bash -c 'source <(ctr completion bash); COMP_LINE="ctr exp" COMP_POINT=7; _ctr; echo "${COMPREPLY[@]}"')"

# ---- images ----
c image save -o "$h/image.tar" "$IMAGE"
c image import --name localhost/again:1 "$h/image.tar" >/dev/null
c image tag localhost/again:1 localhost/other:1
c image rm localhost/other:1 localhost/again:1 >/dev/null
t_is "events: of images" "image import image tag image untag image untag" "$(c events --since 1h --until 0s -f type=image | awk '{print $2, $3}' | xargs)"

c rm -f on off >/dev/null
c_nothing_left "$T_DIR/before"
