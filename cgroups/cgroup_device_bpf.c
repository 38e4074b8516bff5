/* SPDX-License-Identifier: Apache-2.0 */
/* The emitter of device programs, and bpf(2) to load, attach and replace them. */
#include "cgroups/cgroup_device_bpf.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* Instructions of the longest rule, of the prologue and of the end. */
#define RULE_INSNS 8
#define FIXED_INSNS 8
#define ATTACHED_MAX 64

/* r2: type, r3: access asked for and not yet allowed, r4: major, r5: minor. */
enum { R_TYPE = 2, R_ACCESS = 3, R_MAJOR = 4, R_MINOR = 5, R_TMP = 6 };

struct program {
	struct bpf_insn *insns;
	size_t count;
};

static void put(struct program *p, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	p->insns[p->count++] = (struct bpf_insn){
		.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm
	};
}

static void put_exit(struct program *p, bool allow)
{
	put(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, allow);
	put(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* struct bpf_cgroup_dev_ctx: access and type share a word, the type in the lower half. */
static void put_prologue(struct program *p)
{
	const size_t type = offsetof(struct bpf_cgroup_dev_ctx, access_type);

	put(p, BPF_LDX | BPF_MEM | BPF_W, R_TYPE, BPF_REG_1, type, 0);
	put(p, BPF_ALU64 | BPF_MOV | BPF_X, R_ACCESS, R_TYPE, 0, 0);
	put(p, BPF_ALU64 | BPF_AND | BPF_K, R_TYPE, 0, 0, 0xffff);
	put(p, BPF_ALU64 | BPF_RSH | BPF_K, R_ACCESS, 0, 0, 16);
	put(p, BPF_LDX | BPF_MEM | BPF_W, R_MAJOR, BPF_REG_1,
	    offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	put(p, BPF_LDX | BPF_MEM | BPF_W, R_MINOR, BPF_REG_1,
	    offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
}

/*
 * The newest rule comes first. A rule of all access decides at once; a deny rule of some decides
 * when any of it is asked for; an allow rule of some takes its part out of what is asked, and
 * decides when nothing is left.
 */
static void put_rule(struct program *p, const struct device_rule *rule)
{
	size_t jumps[4], n = 0;
	int32_t type = rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;

	jumps[n++] = p->count;
	put(p, BPF_JMP | BPF_JNE | BPF_K, R_TYPE, 0, 0, type);
	if (rule->major >= 0) {
		jumps[n++] = p->count;
		put(p, BPF_JMP | BPF_JNE | BPF_K, R_MAJOR, 0, 0, rule->major);
	}
	if (rule->minor >= 0) {
		jumps[n++] = p->count;
		put(p, BPF_JMP | BPF_JNE | BPF_K, R_MINOR, 0, 0, rule->minor);
	}
	if (rule->access != DEVICE_ALL && rule->allow) {
		put(p, BPF_ALU64 | BPF_AND | BPF_K, R_ACCESS, 0, 0,
		    (int32_t)(DEVICE_ALL & ~rule->access));
		jumps[n++] = p->count;
		put(p, BPF_JMP | BPF_JNE | BPF_K, R_ACCESS, 0, 0, 0);
	} else if (rule->access != DEVICE_ALL) {
		put(p, BPF_ALU64 | BPF_MOV | BPF_X, R_TMP, R_ACCESS, 0, 0);
		put(p, BPF_ALU64 | BPF_AND | BPF_K, R_TMP, 0, 0, (int32_t)rule->access);
		jumps[n++] = p->count;
		put(p, BPF_JMP | BPF_JEQ | BPF_K, R_TMP, 0, 0, 0);
	}
	put_exit(p, rule->allow);
	while (n-- > 0)
		p->insns[jumps[n]].off = (int16_t)(p->count - jumps[n] - 1);
}

int device_bpf_emit(const struct device_rules *list, struct bpf_insn **ret, size_t *ret_count)
{
	struct program p = { 0 };

	p.insns = calloc(list->count * RULE_INSNS + FIXED_INSNS, sizeof(p.insns[0]));
	if (!p.insns)
		return -ENOMEM;
	put_prologue(&p);
	for (size_t i = list->count; i-- > 0;)
		put_rule(&p, &list->rules[i]);
	put_exit(&p, list->default_allow);
	*ret = p.insns;
	*ret_count = p.count;
	return 0;
}

static int bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

static int load(const struct bpf_insn *insns, size_t count)
{
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
				.insns = (uintptr_t)insns,
				.insn_cnt = (uint32_t)count,
				.license = (uintptr_t) "Apache-2.0",
				.prog_name = "cellar_devices" };
	struct rlimit limit;
	int fd = bpf(BPF_PROG_LOAD, &attr);

	if (fd != -EPERM || getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		return fd;
	/*
	 * Before 5.11 the kernel counts programs as locked memory of the user. Raise what may be
	 * raised; without CAP_SYS_RESOURCE that is the soft limit only, and may well be enough.
	 */
	if (setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY }) < 0 &&
	    (limit.rlim_cur == limit.rlim_max ||
	     setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ limit.rlim_max, limit.rlim_max }) < 0))
		return -EPERM;
	fd = bpf(BPF_PROG_LOAD, &attr);
	setrlimit(RLIMIT_MEMLOCK, &limit);
	return fd;
}

static int query(int cgroup_fd, uint32_t ids[static ATTACHED_MAX], uint32_t *ret_count)
{
	union bpf_attr attr = { .query = { .target_fd = (uint32_t)cgroup_fd,
					   .attach_type = BPF_CGROUP_DEVICE,
					   .prog_ids = (uintptr_t)ids,
					   .prog_cnt = ATTACHED_MAX } };
	int r = bpf(BPF_PROG_QUERY, &attr);

	*ret_count = r < 0 ? 0 : attr.query.prog_cnt;
	return r;
}

static int detach(int cgroup_fd, uint32_t id)
{
	union bpf_attr attr = { .prog_id = id };
	_cleanup_fd_ int prog = bpf(BPF_PROG_GET_FD_BY_ID, &attr);

	if (prog < 0)
		return prog == -ENOENT ? 0 : prog;
	attr = (union bpf_attr){ .target_fd = (uint32_t)cgroup_fd,
				 .attach_bpf_fd = (uint32_t)prog,
				 .attach_type = BPF_CGROUP_DEVICE };
	return bpf(BPF_PROG_DETACH, &attr);
}

/* All programs of a cgroup have to agree, so the new one comes first and the old ones go then. */
int device_bpf_apply(int cgroup_fd, const struct device_rules *list, bool replace, struct err *err)
{
	_cleanup_free_ struct bpf_insn *insns = NULL;
	_cleanup_fd_ int prog = -1;
	uint32_t old[ATTACHED_MAX], old_count = 0;
	union bpf_attr attr;
	size_t count;
	int r;

	if (device_bpf_emit(list, &insns, &count) < 0)
		return err_set(err, ENOMEM, "write the device program");
	if (replace && (r = query(cgroup_fd, old, &old_count)) < 0)
		return err_set(err, -r, "list the device programs of the cgroup");
	prog = load(insns, count);
	if (prog < 0)
		return err_set(err, -prog, "load the BPF program of the device rules");
	attr = (union bpf_attr){ .target_fd = (uint32_t)cgroup_fd,
				 .attach_bpf_fd = (uint32_t)prog,
				 .attach_type = BPF_CGROUP_DEVICE,
				 .attach_flags = BPF_F_ALLOW_MULTI };
	r = bpf(BPF_PROG_ATTACH, &attr);
	if (r < 0)
		return err_set(err, -r, "attach the BPF program of the device rules");
	for (uint32_t i = 0; i < old_count; i++)
		if ((r = detach(cgroup_fd, old[i])) < 0)
			return err_set(err, -r, "detach the old BPF program of the device rules");
	return 0;
}
