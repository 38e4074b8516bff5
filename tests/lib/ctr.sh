# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For tests that drive ctr: sourced after common.sh and t_own_namespaces. Gives c, which is ctr with
# folders of the test's own, $IMAGE, imported, and t_engine_residue.
IMAGE=localhost/bb:latest
C_ROOT=$T_DIR/lib
C_RUN=$T_DIR/run

c() {
	ctr --root "$C_ROOT" --runroot "$C_RUN" "$@"
}

c_clean() {
	local id
	for id in $(c ps -aq); do
		c rm -f "$id"
	done
}

c_setup() {
	c image import "$(t_image)" >/dev/null || t_skip_all "the image cannot be imported"
	t_defer c_clean
	# The first run makes the bridge and its rules, and the folder of pins.
	c run --rm --ipc shareable "$IMAGE" true
	# Its veth dies with its network namespace, some 20 ms later: not before that may a test take
	# stock.
	t_wait 60 sh -c '! ip -o link | grep -q veth' || t_fail "set up" "the first veth stays"
}

# What the engine and the kernel hold for containers: empty but for what c_setup left.
c_residue() {
	t_residue "$C_ROOT/containers" "$C_ROOT/networks" "$C_RUN"
}

# c_nothing_left BEFORE [NAME]: nothing that c_residue did not know before. A veth dies some 20 ms after its
# namespace, so it may take a moment.
c_nothing_left() {
	c_left() { c_residue | grep -Fvxf "$1"; }
	c_settled() { ! c_left "$1"; }
	if t_wait 60 c_settled "$1"; then
		t_ok "${2:-nothing is left}"
	else
		t_fail "${2:-nothing is left}" "$(c_left "$1" | head -n 5 | tr '\n' ';')"
	fi
}
