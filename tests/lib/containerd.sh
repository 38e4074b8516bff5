# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A containerd of the test's own: sourced after tests/clients/lib.sh and clients_enter. Gives ctrd, its
# ctr, and $base, below which everything lies; what a script adds to the configuration it appends to
# $base/config.toml before containerd_up.
base=$T_DIR/containerd
mkdir -m 711 "$base" "$base/root" "$base/state"
CONTAINERD_NAMESPACE=$T_ID

# containerd_config [PLUGIN...]: the ones to leave out, besides those for foreign file systems
containerd_config() {
	local plugin
	{
		printf 'version = 2\nroot = "%s/root"\nstate = "%s/state"\ndisabled_plugins = [' "$base" "$base"
		for plugin in snapshotter.v1.{btrfs,zfs,aufs,devmapper} internal.v1.tracing "$@"; do
			printf '"io.containerd.%s", ' "$plugin"
		done
		printf '"io.containerd.tracing.processor.v1.otlp"]\n'
		printf '[grpc]\naddress = "%s/socket"\n[ttrpc]\naddress = "%s/socket.ttrpc"\n' "$base" "$base"
		printf '[plugins."io.containerd.internal.v1.opt"]\npath = "%s/opt"\n' "$base"
	} >"$base/config.toml"
}

ctrd() { timeout -k 5 "$CLIENT_TIMEOUT" /usr/bin/ctr --address "$base/socket" --namespace "$CONTAINERD_NAMESPACE" "$@"; }

containerd_up() {
	client_daemon containerd /usr/bin/containerd --config "$base/config.toml"
	CONTAINERD_PID=$CLIENT_PID
	t_wait 60 ctrd version || t_skip_all "containerd does not start: $(tail -n 3 "$T_DIR/containerd.log")"
}

# containerd_down [SIGNAL]
containerd_down() {
	kill "-${1:-TERM}" "$CONTAINERD_PID"
	wait "$CONTAINERD_PID" 2>/dev/null
}

# containerd_image: imports the test image, which is then localhost/bb:latest
containerd_image() {
	tar -C "$(t_image)" -cf "$T_DIR/image.tar" .
	ctrd images import "$T_DIR/image.tar" >/dev/null || t_skip_all "the image cannot be imported"
}

# task_is ID STATUS
task_is() { ctrd tasks ls | awk -v id="$1" '$1 == id { print $3 }' | grep -qx "$2"; }
