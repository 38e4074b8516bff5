/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json of the OCI runtime specification 1.3 as plain C data. Everything a document points to
 * lives in its arena. Parsing checks types, ranges and names (capabilities, rlimits, namespaces),
 * never the host: what a host can do is judged where it is done.
 *
 * Absent numbers are told apart from zero by a `has_` field or a documented sentinel. A wrong field
 * is refused with its JSON path: "process.user.uid: 4294967296 is not a whole number from 0 to
 * 4294967295".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

#define OCI_VERSION "1.3.0" /* the newest we speak; "ociVersion" must be 1.x.y */

/* An optional number. */
struct oci_i64 {
	bool set;
	int64_t value;
};

struct oci_u64 {
	bool set;
	uint64_t value;
};

struct oci_u32 {
	bool set;
	uint32_t value;
};

struct oci_bool {
	bool set;
	bool value;
};

struct oci_user {
	uint32_t uid, gid;
	struct oci_u32 umask;
	const uint32_t *additional_gids;
	size_t additional_gids_count;
	const char *username; /* Windows' field, kept for write-back; NULL */
};

/* Bit n is capability n (CAP_CHOWN is 0). */
struct oci_capabilities {
	bool set; /* false: "process.capabilities" is absent */
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

struct oci_rlimit {
	int type; /* RLIMIT_* */
	uint64_t soft, hard;
};

struct oci_scheduler {
	bool set;
	uint32_t policy; /* SCHED_* */
	int32_t nice;
	uint32_t priority;
	uint64_t flags; /* SCHED_FLAG_* */
	uint64_t runtime_ns, deadline_ns, period_ns;
};

struct oci_io_priority {
	bool set;
	uint32_t class; /* IOPRIO_CLASS_* */
	uint32_t priority;
};

struct oci_process {
	bool terminal;
	uint16_t console_height, console_width; /* 0: not given */
	struct oci_user user;
	const char *const *args; /* NULL-terminated; NULL when absent (allowed until start) */
	size_t args_count;
	const char *const *env; /* NULL-terminated, never NULL */
	size_t env_count;
	const char *cwd; /* absolute */
	struct oci_capabilities capabilities;
	const struct oci_rlimit *rlimits;
	size_t rlimits_count;
	bool no_new_privileges;
	const char *apparmor_profile; /* NULL */
	const char *selinux_label;    /* NULL */
	struct {
		bool set;
		int value;
	} oom_score_adj;
	struct oci_scheduler scheduler;
	struct oci_io_priority io_priority;
	const char *exec_cpus_initial, *exec_cpus_final; /* oci_cpus_parse() takes them; NULL */
};

struct oci_id_map {
	uint32_t container_id, host_id, size;
};

/* "options" of a mount, sorted out. Flag words are the kernel's MS_* and MOUNT_ATTR_*. */
struct oci_mount {
	const char *destination;    /* absolute after parsing, lexically cleaned */
	const char *type;	    /* NULL for a bind */
	const char *source;	    /* NULL when absent */
	const char *const *options; /* as written, NULL-terminated, never NULL */
	size_t options_count;
	const struct oci_id_map *uid_maps, *gid_maps; /* of an idmapped mount */
	size_t uid_maps_count, gid_maps_count;
};

struct oci_hook {
	const char *path;	 /* absolute */
	const char *const *args; /* NULL: {path} */
	const char *const *env;	 /* NULL: empty */
	int timeout_s;		 /* 0: none */
};

struct oci_hook_list {
	const struct oci_hook *hooks;
	size_t count;
};

struct oci_hooks {
	struct oci_hook_list prestart, create_runtime, create_container, start_container, poststart,
		poststop;
};

enum oci_namespace_type {
	OCI_NS_PID,
	OCI_NS_NETWORK,
	OCI_NS_MOUNT,
	OCI_NS_IPC,
	OCI_NS_UTS,
	OCI_NS_USER,
	OCI_NS_CGROUP,
	OCI_NS_TIME,
	OCI_NS_COUNT
};

struct oci_namespace {
	bool present;
	const char *path; /* NULL: a new one */
};

struct oci_device {
	const char *path;
	char type; /* 'c', 'b', 'p' ('u' is read as 'c') */
	int64_t major, minor;
	mode_t file_mode; /* 0666 when absent */
	uint32_t uid, gid;
};

struct oci_device_rule {
	bool allow;
	char type;	      /* 'a', 'c', 'b' */
	int64_t major, minor; /* -1: all */
	bool read, write, mknod;
};

struct oci_memory {
	struct oci_i64 limit, reservation, swap; /* bytes, -1: unlimited */
	struct oci_u64 swappiness;
	struct oci_bool disable_oom_killer, use_hierarchy, check_before_update;
};

struct oci_cpu {
	struct oci_u64 shares, period_us, realtime_period_us, burst_us;
	struct oci_i64 quota_us, realtime_runtime_us, idle;
	const char *cpus, *mems; /* NULL when absent */
};

enum oci_throttle_kind {
	OCI_THROTTLE_READ_BPS,
	OCI_THROTTLE_WRITE_BPS,
	OCI_THROTTLE_READ_IOPS,
	OCI_THROTTLE_WRITE_IOPS,
	OCI_THROTTLES
};

struct oci_throttle {
	int64_t major, minor;
	uint64_t rate; /* bytes or operations a second */
};

struct oci_weight_device {
	int64_t major, minor;
	struct oci_u32 weight, leaf_weight;
};

struct oci_block_io {
	struct oci_u32 leaf_weight;
	const struct oci_weight_device *weight_devices;
	size_t weight_devices_count;
	const struct oci_throttle *throttles[OCI_THROTTLES];
	size_t throttles_count[OCI_THROTTLES];
};

struct oci_hugepage_limit {
	const char *page_size; /* "2MB" */
	uint64_t limit;	       /* bytes */
};

struct oci_interface_priority {
	const char *name;
	uint32_t priority;
};

struct oci_rdma_limit {
	const char *device;
	struct oci_u32 handles, objects;
};

struct oci_unified {
	const char *key, *value;
};

struct oci_resources {
	const struct oci_device_rule *devices;
	size_t devices_count;
	struct oci_memory memory;
	struct oci_cpu cpu;
	struct oci_i64 pids_limit; /* -1: unlimited */
	struct oci_u32 blkio_weight;
	struct oci_block_io block_io;
	const struct oci_hugepage_limit *hugepages;
	size_t hugepages_count;
	struct oci_u32 network_class;
	const struct oci_interface_priority *priorities;
	size_t priorities_count;
	const struct oci_rdma_limit *rdma;
	size_t rdma_count;
	const struct oci_unified *unified;
	size_t unified_count;
};

struct oci_seccomp_arg {
	uint32_t index;
	uint64_t value, value_two;
	const char *op; /* "SCMP_CMP_EQ", ... */
};

struct oci_seccomp_rule {
	const char *const *names;
	const char *action; /* "SCMP_ACT_ALLOW", ... */
	struct oci_u32 errno_ret;
	const struct oci_seccomp_arg *args;
	size_t args_count;
};

struct oci_seccomp {
	const char *default_action;
	struct oci_u32 default_errno_ret;
	const char *const *architectures; /* "SCMP_ARCH_X86_64", ...; NULL: native */
	const char *const *flags;	  /* NULL */
	const char *listener_path, *listener_metadata;
	const struct oci_seccomp_rule *rules;
	size_t rules_count;

	/* What no document says, but those who build one in code may. */
	bool fail_unknown_call;	  /* a name that nobody knows is an error, and not skipped */
	const void *ready_filter; /* a finished program of struct sock_filter; takes the place of
				   * all above but the flags; NULL */
	size_t ready_count;	  /* its instructions */
};

struct oci_memory_policy {
	bool set;
	uint32_t mode;	   /* MPOL_* */
	uint64_t flags;	   /* MPOL_F_* */
	const char *nodes; /* oci_cpus_parse() takes it; NULL */
};

/* Of a clock in a new time namespace. */
struct oci_time_offset {
	bool set;
	int64_t secs;
	uint32_t nanosecs;
};

/* An interface of the runtime's network namespace that moves into the container's. */
struct oci_net_device {
	const char *host_name;
	const char *name; /* inside; one "%d" lets the kernel choose a number; NULL: as it was */
};

struct oci_intel_rdt {
	bool set;
	const char *clos_id;	     /* "/": the root's; NULL: the container's id */
	const char *const *schemata; /* lines for the kernel; NULL */
	const char *l3_cache_schema; /* may have several lines; NULL */
	const char *mem_bw_schema;   /* "MB:..."; NULL */
	struct oci_bool enable_monitoring, enable_cmt, enable_mbm; /* the last two: up to 1.2 */
};

/* A part of the document that is kept as it is and not looked into. */
struct oci_kept {
	const char *json; /* NULL: absent */
};

/* A range of a guest's physical addresses that is the host's; GFN and MFN count pages. */
struct oci_vm_iomem {
	uint64_t first_gfn, first_mfn, nr_mfns;
	bool has_first_gfn; /* else it is first_mfn */
};

/* "vm": paths are absolute, lists NULL-terminated; NULL and 0 when absent. */
struct oci_vm {
	const char *hypervisor_path;
	const char *const *hypervisor_parameters;
	const char *kernel_path, *kernel_initrd;
	const char *const *kernel_parameters;
	const char *image_path, *image_format; /* raw, qcow2, vdi, vmdk, vhd */
	bool has_hardware;
	const char *device_tree;
	struct oci_u32 vcpus;
	struct oci_u64 memory_bytes;
	const char *const *dtdevs;
	const struct oci_vm_iomem *iomems;
	size_t iomems_count;
	const uint32_t *irqs;
	size_t irqs_count;
};

struct oci_sysctl {
	const char *key, *value;
};

struct oci_annotation {
	const char *key, *value;
};

struct oci_config {
	struct arena *arena; /* owns everything below */
	const char *oci_version;
	const char *hostname, *domainname; /* NULL when absent */
	struct {
		const char *path; /* as written; relative to the bundle */
		bool readonly;
	} root;
	bool has_process;
	struct oci_process process;
	const struct oci_mount *mounts;
	size_t mounts_count;
	struct oci_hooks hooks;
	const struct oci_annotation *annotations;
	size_t annotations_count;

	/* linux */
	struct oci_namespace namespaces[OCI_NS_COUNT];
	const struct oci_id_map *uid_maps, *gid_maps;
	size_t uid_maps_count, gid_maps_count;
	const struct oci_device *devices;
	size_t devices_count;
	struct oci_resources resources;
	const char *cgroups_path;				 /* NULL when absent */
	const char *rootfs_propagation;				 /* "private", "slave", ...; NULL */
	const char *mount_label;				 /* NULL */
	const char *const *masked_paths, *const *readonly_paths; /* NULL when absent */
	const struct oci_sysctl *sysctls;
	size_t sysctls_count;
	const struct oci_seccomp *seccomp; /* NULL when absent */
	struct oci_u32 personality;	   /* PER_LINUX or PER_LINUX32 */
	struct oci_memory_policy memory_policy;
	struct oci_time_offset monotonic, boottime;
	struct oci_intel_rdt intel_rdt;
	const struct oci_net_device *net_devices;
	size_t net_devices_count;

	const struct oci_vm *vm; /* NULL when absent */

	/* The document as it was read: formatting finds there what is not looked into (solaris,
	 * windows, zos, freebsd, members of a newer specification). JSON NULL: built in code. */
	struct oci_kept source;
};

/* The result is owned by the caller; the text is not kept. */
int oci_config_parse(const char *text, size_t len, struct oci_config **ret, struct err *err);

/* Reads dirfd/path (at most 8 MiB). Errors name the path. */
int oci_config_load(int dirfd, const char *path, struct oci_config **ret, struct err *err);

/* process alone, as `exec --process` and the Task API's Exec bring it. Lives in the arena. */
int oci_process_parse(const char *text, size_t len, struct arena *arena, struct oci_process *ret,
		      struct err *err);

struct json_node;

/* An element of linux.seccomp.syscalls; fields that it does not know are ignored. */
int oci_seccomp_rule_parse(const struct json_node *node, struct arena *arena,
			   struct oci_seccomp_rule *ret, struct err *err);

/* "mounts" alone, as `mounts add` brings them: an array, or an object that has it as a member. */
int oci_mounts_parse(const char *text, size_t len, struct oci_config **ret, struct err *err);

/* linux.resources alone, as `update` brings it. */
int oci_resources_parse(const char *text, size_t len, struct arena *arena,
			struct oci_resources *ret, struct err *err);

/*
 * The document as text, owned by the caller. What was parsed comes out with all it had, in its own
 * order and spelling, but for members that were changed since; what was built in code comes out as
 * it is. Written and parsed again it is the same.
 */
int oci_config_format(const struct oci_config *config, char **ret, size_t *ret_len,
		      struct err *err);
int oci_process_format(const struct oci_process *process, char **ret, size_t *ret_len,
		       struct err *err);

/* An empty document with its arena, for building one in code. */
struct oci_config *oci_config_new(void);
struct oci_config *oci_config_free(struct oci_config *config);

const char *oci_config_annotation(const struct oci_config *config, const char *key); /* or NULL */

/* "pid", "network", ... and the CLONE_NEW* flag of a type. */
const char *oci_namespace_name(enum oci_namespace_type type);
uint64_t oci_namespace_flag(enum oci_namespace_type type);

/* "CAP_SYS_ADMIN" -> 21; with or without "CAP_", any case. -EINVAL when unknown. */
int oci_capability_parse(const char *name);
const char *oci_capability_name(int cap); /* "CAP_SYS_ADMIN", or NULL */

const char *oci_throttle_name(enum oci_throttle_kind kind); /* "throttleReadBpsDevice" */

/* "0-3,7" as bits. 0 or -EINVAL. For memory nodes too. */
#define OCI_CPU_WORDS 16 /* 1,024 CPUs, as cpu_set_t has */
int oci_cpus_parse(const char *text, uint64_t ret[static OCI_CPU_WORDS]);

/* The words that linux.memoryPolicy knows, by index from 0; NULL behind the last. */
const char *oci_memory_mode_name(size_t index);
const char *oci_memory_flag_name(size_t index);

int oci_rlimit_parse(const char *name); /* "RLIMIT_NOFILE" -> RLIMIT_NOFILE, or -EINVAL */
const char *oci_rlimit_name(int type);

CLEANUP_DEFINE(struct oci_config, oci_config, oci_config_free);
#define _cleanup_oci_config_ _cleanup_(cleanup_oci_config)
