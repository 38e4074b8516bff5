# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A client of CRI (gRPC by curl and protoc), as Kubernetes is one: sourced after lib/containerd.sh. The
# script sets $image and $pause, names of images, and $how, the handler of the pods it makes;
# CRI_CGROUP_PARENT: where they lie.

pb() { (cd "$T_TOP/tests/lib" && protoc "$1" cri.proto); }
# rpc SERVICE METHOD REQUEST ANSWER TEXT: the answer as text; a refusal is its sentence, status 1
rpc() {
	local text status
	pb "--encode=cri.$3" <<<"$5" >"$T_DIR/message" || return
	{
		# Not compressed, and its length.
		printf "\\0$(printf '\\x%02x' $(($(stat -c %s "$T_DIR/message") >> 24)) $(($(stat -c %s "$T_DIR/message") >> 16 & 255)) \
			$(($(stat -c %s "$T_DIR/message") >> 8 & 255)) $(($(stat -c %s "$T_DIR/message") & 255)))"
		cat "$T_DIR/message"
	} | curl -s --max-time $((2 * T_LONG)) --http2-prior-knowledge --unix-socket "$base/socket" -H 'content-type: application/grpc' \
		-H 'te: trailers' --data-binary @- -D "$T_DIR/headers" -o "$T_DIR/answer" "http://localhost/runtime.v1.$1/$2" || return
	status=$(sed -n 's/^grpc-status: \([0-9]*\).*/\1/p' "$T_DIR/headers")
	if [ "$status" != 0 ]; then
		echo "$2: status $status $(sed -n 's/^grpc-message: //p' "$T_DIR/headers")"
		return 1
	fi
	tail -c +6 "$T_DIR/answer" | pb "--decode=cri.$4"
}
cri() { rpc RuntimeService "$@"; }
# text FIELD: of an answer on stdin
text() { sed -n "s/^ *$1: \"\{0,1\}\([^\"]*\)\"\{0,1\}$/\1/p" | head -n 1; }

pod_config() { echo "metadata { name: '$1' uid: 'uid-$1' namespace: 'default' } hostname: '${2-host-$1}'
	log_directory: '$T_DIR/logs/$1' labels { key: 'l' value: 'v' }
	linux { cgroup_parent: '${CRI_CGROUP_PARENT:-/$T_ID}' ${3:-} }"; }
# pod NAME [HOSTNAME [MORE-LINUX]]: runs one with the handler $how; its id is $pod
pod() {
	mkdir -p "$T_DIR/logs/$1"
	config=$(pod_config "$@")
	pod=$(cri RunPodSandbox RunPodRequest PodRequest "config { $config } runtime_handler: '$how'") || {
		echo "$pod"
		return 1
	}
	pod=$(text pod_sandbox_id <<<"$pod")
}
# create NAME SCRIPT [MORE]: a container of the pod; its id is $created
create() {
	local script=${2//\\/\\\\}
	created=$(cri CreateContainer CreateContainerRequest ContainerRequest "pod_sandbox_id: '$pod'
		sandbox_config { $config } config { metadata { name: '$1' } image { image: '$image' } log_path: '$1.log'
		command: ['sh', '-c'] args: '${script//\'/\\\'}' ${3:-} }") || {
		echo "$created"
		return 1
	}
	created=$(text container_id <<<"$created")
}
start() { cri StartContainer ContainerRequest Empty "container_id: '$1'"; }
# run NAME SCRIPT [MORE]: creates and starts
run() { create "$@" && start "$created"; }
status() { cri ContainerStatus ContainerRequest ContainerStatusResponse "container_id: '$1'"; }
state() { status "$1" | text state; }
told() { status "$1" | grep -q OOMKilled; }
ended() { ! status "$1" | grep -q 'state: RUNNING\|CREATED' && status "$1" | grep -q EXITED; }
pod_state() { cri PodSandboxStatus PodRequest PodStatusResponse "pod_sandbox_id: '$1'" | sed -n 's/^  state: //p'; }
log() { cat "$T_DIR/logs/$1" 2>/dev/null; }
# execute ID WORD...: its stdout, stderr and exit status (0 is not said) in one line
execute() {
	local id=$1 word cmd=
	shift
	for word in "$@"; do
		word=${word//\\/\\\\}
		cmd+="cmd: '${word//\'/\\\'}' "
	done
	cri ExecSync ExecSyncRequest ExecSyncResponse "container_id: '$id' timeout: ${exec_timeout:-$T_LONG} $cmd" |
		sed 's/^[a-z_]*: //; s/\\n//g; s/["\\]//g' | tr '\n' ' ' | sed 's/ $//'
}
shims() { pgrep -f '[c]ontainerd-shim' | wc -l; }

# cri_images: $image, and as $pause the same but that what it runs by itself waits for ever
cri_images() {
	local manifest digest size
	containerd_image
	cp -r "$(t_image)" "$T_DIR/pause"
	manifest=$(cri_blob "$(jq -r '.manifests[0].digest' "$T_DIR/pause/index.json")")
	cri_rename '.config.Cmd = ["sh", "-c", "while :; do sleep 1000; done # pause"] | del(.config.Entrypoint)' \
		"$(cri_blob "$(jq -r .config.digest "$manifest")")"
	cri_rename ".config.digest = \"sha256:$digest\" | .config.size = $size" "$manifest"
	jq -c ".manifests[0].digest = \"sha256:$digest\" | .manifests[0].size = $size |
		.manifests[0].annotations[\"org.opencontainers.image.ref.name\"] = \"$pause\"" "$T_DIR/pause/index.json" >"$T_DIR/index"
	mv "$T_DIR/index" "$T_DIR/pause/index.json"
	tar -C "$T_DIR/pause" -cf "$T_DIR/pause.tar" .
	ctrd images import "$T_DIR/pause.tar" >/dev/null
	t_wait 60 cri_knows "$image" && t_wait 60 cri_knows "$pause" ||
		t_skip_all "CRI does not know the images: $(tail -n 3 "$T_DIR/containerd.log")"
}
cri_blob() { echo "$T_DIR/pause/blobs/sha256/${1#sha256:}"; }
# FILTER FILE: a blob becomes another, of $digest and $size
cri_rename() {
	jq -c "$1" "$2" >"$T_DIR/blob"
	digest=$(sha256sum "$T_DIR/blob" | cut -d' ' -f1) size=$(stat -c %s "$T_DIR/blob")
	mv "$T_DIR/blob" "$T_DIR/pause/blobs/sha256/$digest"
}
cri_knows() { rpc ImageService ImageStatus ImageRequest ImageStatusResponse "image { image: '$1' }" | grep -q id:; }
