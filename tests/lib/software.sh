# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For tests that run real software: sourced after common.sh, before t_own_namespaces, because an
# image is made of Debian packages that come from this machine's mirror. In this order:
#
#	software_image NAME CONFIG SETUP [PACKAGE...]
#	t_own_namespaces "$@"
#	software_setup
#
# Then c is ctr with folders of the test's own, and $IMAGE is imported there. What was made is kept
# in build/debian (tools/make-debian-image.sh). The first time it costs half a minute for Debian's
# base and the downloads, later nothing. With S_IMAGE_ONLY set that is all that is done, for a virtual
# machine, which reaches no mirror.

# A person's patience with a server that starts, on a busy machine.
S_PATIENCE=120
# Translated code is 20 times slower.
[ -z "${CELLAR_IN_VM:-}" ] || S_PATIENCE=300

# NAME of the image, CONFIG as JSON to be merged into its configuration, SETUP: shell commands that
# run in it once the packages are installed
software_image() {
	local name=$1 config=$2 setup=$3 status=0 start=$SECONDS
	shift 3
	t_need_root
	export S_IMAGE=localhost/$name:latest
	[ -z "${T_UNSHARED:-}" ] || return 0
	echo "$setup" >"$T_DIR/setup"
	S_LAYOUT=$("$T_TOP/tools/make-debian-image.sh" --config "$config" \
		${setup:+--setup "$T_DIR/setup"} \
		"$T_TOP/build/debian" "$S_IMAGE" "$@" 2>"$T_DIR/err") || status=$?
	[ $status != 77 ] || t_skip_all "no Debian packages: $(tail -n 1 "$T_DIR/err")"
	if [ $status != 0 ]; then
		t_fail "image of $name" "$(tail -n 5 "$T_DIR/err")"
		exit 1
	fi
	export S_LAYOUT
	echo "the image of Debian packages: $((SECONDS - start)) s"
	[ -z "${S_IMAGE_ONLY:-}" ] || exit 0
}

# software_ms COMMAND...: how long it took is then in $S_MS
software_ms() {
	local start status=0
	start=$(date +%s%N)
	"$@" || status=$?
	S_MS=$((($(date +%s%N) - start) / 1000000))
	return $status
}

software_setup() {
	. "$T_TOP/tests/lib/ctr.sh"
	IMAGE=$S_IMAGE
	software_ms c image import "$S_LAYOUT" >/dev/null || { t_fail "import $IMAGE"; exit 1; }
	echo "imported in $S_MS ms"
	t_defer c_clean
}

# software_address CONTAINER: its IPv4 address, as long as it runs
software_address() {
	c ps --format json | jq -r --arg name "$1" '.[] | select(.name == $name) | .address | sub("/.*"; "")'
}

# software_answers CONTAINER COMMAND...: waits until the command succeeds in it. A server that has
# ended will not answer any more: what it said last is shown.
software_answers() {
	local name=$1 end=$((SECONDS + S_PATIENCE))
	shift
	until c exec "$name" "$@" >/dev/null 2>&1; do
		if [ $SECONDS -ge $end ] || [ -z "$(software_address "$name")" ]; then
			c logs "$name" 2>&1 | tail -n 5
			return 1
		fi
		sleep 0.05
	done
}
