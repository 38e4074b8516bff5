#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Images between tools: what skopeo, umoci, Podman and Docker write is imported and runs, and what
# `ctr image save` writes is taken by each of them.
CLIENT_PROGRAMS=(/usr/bin/skopeo)
. "$(dirname "$0")/lib.sh"
clients_enter "$@"

layout=$(t_image)
id=$(jq -r '.manifests[0].digest' "$layout/index.json")
id=$(jq -r '.config.digest' "$layout/blobs/sha256/${id#sha256:}")
cd "$T_DIR" || exit 1
root=0
c() { ctr --root "$T_DIR/lib$root" --runroot "$T_DIR/run$root" "$@"; }
fresh() { root=$((root + 1)); }

# imported NAME FILE IMAGE [WANTED-ID]: into a store of its own, under that name, and it runs
imported() {
	fresh
	t_status "$1 is imported" 0 c image import "$2"
	t_match "$1: its name is $3" "^Imported $3 \(sha256:" "$T_OUT"
	[ -z "${4:-}" ] || t_is "$1: its id is its own" "$4" "$(c image inspect "$3" | jq -r '.[0].id')"
	t_is "$1 runs" "hello user" "$(c run --rm --network none "$3" sh -c 'echo hello; sed -n s/^user:.*/user/p /etc/passwd' | xargs)"
}
same() { # NAME IMAGE: the files are those of the layout, whatever way they went
	t_is "$1: the tree is the same" "$want" "$(tree "$2")"
}
tree() {
	c run --rm --network none "$1" sh -c 'find / -xdev ! -path "/proc*" ! -path "/sys*" ! -path "/dev*" \
		! -path "/etc/host*" ! -path /etc/resolv.conf ! -path /etc ! -path / | sort |
		while read -r f; do stat -c "%n %f %u %g %Y %s" "$f"; done' | sha256sum
}
fresh
c image import "$layout" >/dev/null
want=$(tree localhost/bb:latest)
t_status "ctr writes a tar" 0 c image save -o "$T_DIR/ours.tar" bb
first=$root

for kind in oci oci-archive; do
	skopeo --insecure-policy copy -q "oci:$layout:localhost/bb:latest" "$kind:$T_DIR/s-$kind:localhost/s:1"
	imported "skopeo's $kind" "$T_DIR/s-$kind" localhost/s:1 "$id"
	same "skopeo's $kind" s:1
done
skopeo --insecure-policy copy -q "oci:$layout:localhost/bb:latest" "docker-archive:$T_DIR/s.tar:s:2" \
	--additional-tag quay.io/a/b:c
imported "skopeo's docker-archive" s.tar docker.io/library/s:2 "$id"
same "skopeo's docker-archive" s:2
t_match "a second tag is a second name" 'quay.io/a/b:c' "$(c image ls)"
for packer in gzip zstd xz bzip2; do
	$packer -c s.tar >s.packed
	imported "a docker-archive by $packer" s.packed docker.io/library/s:2 "$id"
done
fresh
t_status "a pipe" 0 bash -c "ctr --root '$T_DIR/lib$root' image import - <s.tar && gzip -c s.tar | ctr --root '$T_DIR/lib$root' image import --name p:1 -"
t_match "a pipe's name" 'localhost/p:1' "$T_OUT"
t_is "a pipe leaves no spool" 0 "$(find "$T_DIR/lib$root/content/tmp" -type f | wc -l)"
mkdir unpacked && tar -xf s.tar -C unpacked
imported "an unpacked docker-archive" unpacked docker.io/library/s:2 "$id"
skopeo --insecure-policy copy -q --format v2s2 "docker-archive:s.tar:s:2" "dir:$T_DIR/s-dir"
t_status "skopeo's dir: is refused" 1 c image import s-dir
t_match "skopeo's dir: is refused in words" 'manifest.json is no list of images.*oci: first' "$T_ERR"

if command -v umoci >/dev/null; then
	cp -r "$layout" umoci
	umoci tag --image umoci:localhost/bb:latest tagged >/dev/null 2>&1
	umoci unpack --image umoci:tagged bundle >/dev/null 2>&1
	echo new >bundle/rootfs/new
	rm bundle/rootfs/etc/group
	umoci repack --image umoci:repacked bundle >/dev/null 2>&1
	fresh
	t_status "umoci's layout" 0 c image import umoci
	t_match "umoci's bare tags" 'localhost/umoci:repacked' "$T_OUT"
	t_is "umoci's layer: what it added and what it took away" "new gone" \
		"$(c run --rm --network none umoci:repacked sh -c 'cat /new; [ -e /etc/group ] || echo gone' | xargs)"
else
	t_skip "umoci" "not installed"
fi

# taken NAME COMMAND...: the client lists our image's id
taken() {
	local name=$1
	shift
	t_match "$name" "${id#sha256:}" "$("$@" 2>&1)"
}
root=$first
for from in "oci-archive:ours.tar:localhost/bb:latest" "docker-archive:ours.tar:localhost/bb:latest"; do
	t_status "skopeo takes ours as ${from%%:*}" 0 skopeo --insecure-policy copy -q "$from" "oci:$T_DIR/back-${from%%:*}:x"
done
root=$first
t_is "what was saved and imported again is the same" "$(c image inspect bb | jq -r '.[0].digest')" \
	"$(fresh; c image import ours.tar >/dev/null; c image inspect bb | jq -r '.[0].digest')"

if [ -x /usr/bin/podman ]; then
	mkdir -m 711 podman
	printf '[containers]\ndefault_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]\n' >podman/containers.conf
	export CONTAINERS_CONF=$T_DIR/podman/containers.conf
	p() { timeout -k 5 "$CLIENT_TIMEOUT" /usr/bin/podman --root "$T_DIR/podman/root" --runroot "$T_DIR/podman/run" \
		--tmpdir "$T_DIR/podman/tmp" --cgroup-manager cgroupfs --events-backend file --storage-driver overlay "$@"; }
	t_status "podman loads ours" 0 p load -q -i ours.tar
	taken "podman has our image" p images --no-trunc --format '{{.ID}} {{.Names}}'
	p tag localhost/bb:latest quay.io/x/y:z
	p save -q --format docker-archive -o p-docker.tar localhost/bb:latest 2>/dev/null
	imported "podman's docker-archive" p-docker.tar localhost/bb:latest "$id"
	same "podman's docker-archive" bb
	p save -q --format oci-archive -o p-oci.tar localhost/bb:latest 2>/dev/null
	imported "podman's oci-archive" p-oci.tar localhost/bb:latest
	same "podman's oci-archive" bb
	p save -q --format docker-dir -o p-dir localhost/bb:latest 2>/dev/null &&
		t_status "podman's docker-dir is refused" 1 c image import p-dir
	p save -q -m -o p-many.tar localhost/bb:latest quay.io/x/y:z 2>/dev/null
	imported "podman's archive of several" p-many.tar quay.io/x/y:z "$id"
else
	t_skip "podman" "not installed"
fi

if [ -x /usr/sbin/dockerd ] && [ -x /usr/bin/docker ] && [ -x /usr/bin/containerd ]; then
	base=$T_DIR/docker
	mkdir -m 711 "$base"
	jq -n --arg base "$base" --arg id "$T_ID" '{
		"data-root": "\($base)/root", "exec-root": "\($base)/exec", pidfile: "\($base)/pid",
		hosts: ["unix://\($base)/socket"], iptables: false, ip6tables: false, "ip-forward": false,
		"ip-masq": false, bridge: "none", "userland-proxy": false, "storage-driver": "overlay2",
		"exec-opts": ["native.cgroupdriver=cgroupfs"], "cgroup-parent": "/\($id)"}' >"$base/daemon.json"
	export DOCKER_CONFIG=$base/client
	d() { timeout -k 5 "$CLIENT_TIMEOUT" /usr/bin/docker -H "unix://$base/socket" "$@"; }
	client_daemon dockerd /usr/sbin/dockerd --config-file "$base/daemon.json"
	if t_wait 60 d version; then
		t_status "docker loads ours" 0 d load -q -i ours.tar
		taken "docker has our image" d images --no-trunc --format '{{.ID}} {{.Repository}}'
		d tag localhost/bb:latest bb:docker
		d save -o d.tar bb:docker localhost/bb:latest
		imported "docker save" d.tar docker.io/library/bb:docker "$id"
		same "docker save" bb:docker
		t_match "docker save: the other tag" localhost/bb:latest "$(c image ls)"
		d save -o d-id.tar "$id"
		imported "docker save of an id" d-id.tar localhost/d-id:latest "$id"
	else
		t_skip "docker" "dockerd does not start: $(tail -n 1 "$T_DIR/dockerd.log")"
	fi
else
	t_skip "docker" "not installed"
fi
