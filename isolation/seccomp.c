/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp of config.json, read into a table of calls. */
#include "isolation/seccomp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/seccomp.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "isolation/seccomp_tables.h"
#include "isolation/seccomp_words.h"

#define ARGS_MAX 6
#define ERRNO_MAX 4095 /* the kernel's MAX_ERRNO */
#define ERRNO_DEFAULT EPERM

struct compiler {
	const struct oci_seccomp *profile;
	struct seccomp_table *table;
	struct seccomp_defaults defaults;
	bool notifies;
	struct err *err;
};

/* One rule on its way into the table. */
struct rule {
	size_t index;
	uint32_t action;
	bool is_default;   /* only makes its calls known */
	bool alternatives; /* each test is a case of its own */
	struct seccomp_test tests[ARGS_MAX];
	size_t tests_count;
};

static bool is_permissive(uint32_t action)
{
	/* A tracer emulates, also what is newer than the profile. */
	action &= SECCOMP_RET_ACTION_FULL;
	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG ||
	       action == SECCOMP_RET_TRACE;
}

/* path: of the object, "linux.seccomp" or a rule's; name and errno_name are its fields. */
static int read_action(struct compiler *c, const char *path, const char *field, const char *name,
		       const char *errno_field, const struct oci_u32 *errno_ret, uint32_t *ret)
{
	uint32_t action, data = errno_ret->set ? errno_ret->value : ERRNO_DEFAULT;
	uint32_t max = ERRNO_MAX;

	if (!name)
		return err_say(c->err, EINVAL, "%s.%s: missing", path, field);
	if (seccomp_action_parse(name, &action) < 0)
		return err_say(c->err, EINVAL, "%s.%s: \"%s\" is not an action", path, field, name);
	if (action == SECCOMP_RET_TRACE)
		max = SECCOMP_RET_DATA;
	else if (action != SECCOMP_RET_ERRNO && errno_ret->set)
		return err_say(c->err, EINVAL, "%s.%s: %s has no error number", path, errno_field,
			       name);
	else if (action != SECCOMP_RET_ERRNO)
		data = 0;
	if (data > max)
		return err_say(c->err, EINVAL, "%s.%s: %u is not a number from 0 to %u", path,
			       errno_field, data, max);
	c->notifies |= action == SECCOMP_RET_USER_NOTIF;
	*ret = action | data;
	return 0;
}

static int read_defaults(struct compiler *c)
{
	struct seccomp_defaults *d = &c->defaults;
	int r = read_action(c, "linux.seccomp", "defaultAction", c->profile->default_action,
			    "defaultErrnoRet", &c->profile->default_errno_ret, &d->action);

	if (r < 0)
		return r;
	if (c->notifies)
		return err_say(
			c->err, EINVAL,
			"linux.seccomp.defaultAction: SCMP_ACT_NOTIFY would also stop the calls that hand the listener over");
	if (is_permissive(d->action)) {
		d->newer = d->action;
		d->closed = SECCOMP_RET_KILL_PROCESS;
	} else {
		d->newer = SECCOMP_RET_ERRNO | ENOSYS;
		d->closed = d->newer;
	}
	d->foreign = SECCOMP_RET_KILL_PROCESS;
	return 0;
}

static uint32_t abis_named(const char *oci_name)
{
	uint32_t abis = 0;

	for (size_t i = 0; i < seccomp_tables.abis_count; i++)
		if (strcmp(seccomp_tables.abis[i].oci_name, oci_name) == 0)
			abis |= 1U << i;
	return abis;
}

/* What cannot occur on this machine needs no rules. */
static int read_architectures(struct compiler *c)
{
	const char *const *names = c->profile->architectures;

	c->defaults.abis = abis_named(seccomp_tables.abis[0].oci_name);
	for (size_t i = 0; names && names[i]; i++) {
		if (!seccomp_arch_is_known(names[i]))
			return err_say(
				c->err, EINVAL,
				"linux.seccomp.architectures[%zu]: \"%s\" is not an architecture",
				i, names[i]);
		c->defaults.abis |= abis_named(names[i]);
	}
	return 0;
}

static int read_flags(struct compiler *c, uint32_t *ret)
{
	const char *const *names = c->profile->flags;
	uint32_t flags = 0, flag;

	/* As runc's default: without it old kernels slow all of the container down. */
	if (!names)
		flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	for (size_t i = 0; names && names[i]; i++) {
		if (seccomp_flag_parse(names[i], &flag) < 0)
			return err_say(c->err, EINVAL,
				       "linux.seccomp.flags[%zu]: \"%s\" is not a flag", i,
				       names[i]);
		flags |= flag;
	}
	/* There is one thread only when the filter is loaded. */
	flags &= ~(uint32_t)SECCOMP_FILTER_FLAG_TSYNC;
	if (c->notifies)
		flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	else
		flags &= ~(uint32_t)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	*ret = flags;
	return 0;
}

static int read_test(struct compiler *c, size_t rule, size_t index, struct seccomp_test *ret)
{
	const struct oci_seccomp_arg *arg = &c->profile->rules[rule].args[index];
	enum seccomp_op op;
	bool masked;

	if (arg->index >= ARGS_MAX)
		return err_say(
			c->err, EINVAL,
			"linux.seccomp.syscalls[%zu].args[%zu].index: %u is not a number from 0 to 5",
			rule, index, arg->index);
	if (!arg->op || seccomp_op_parse(arg->op, &op, &masked) < 0)
		return err_say(
			c->err, EINVAL,
			"linux.seccomp.syscalls[%zu].args[%zu].op: \"%s\" is not an operator", rule,
			index, arg->op ? arg->op : "");
	*ret = (struct seccomp_test){
		.arg = (uint8_t)arg->index,
		.op = (uint8_t)op,
		.value = masked ? arg->value_two : arg->value,
		.mask = masked ? arg->value : UINT64_MAX,
	};
	return 0;
}

static int read_tests(struct compiler *c, struct rule *rule)
{
	const struct oci_seccomp_rule *source = &c->profile->rules[rule->index];
	unsigned seen = 0;

	if (source->args_count > ARGS_MAX)
		return err_say(c->err, EINVAL,
			       "linux.seccomp.syscalls[%zu].args: more than %d conditions",
			       rule->index, ARGS_MAX);
	for (size_t i = 0; i < source->args_count; i++) {
		int r = read_test(c, rule->index, i, &rule->tests[i]);

		if (r < 0)
			return r;
		rule->alternatives |= (seen & 1U << rule->tests[i].arg) != 0;
		seen |= 1U << rule->tests[i].arg;
	}
	rule->tests_count = source->args_count;
	return 0;
}

static int add_number(struct compiler *c, const struct rule *rule, size_t abi, uint32_t nr)
{
	int r = 0;

	if (rule->is_default)
		seccomp_table_know(c->table, abi, nr);
	else if (!rule->alternatives)
		r = seccomp_table_add(c->table, abi, nr, rule->action, rule->tests,
				      rule->tests_count);
	else
		for (size_t i = 0; i < rule->tests_count && r == 0; i++)
			r = seccomp_table_add(c->table, abi, nr, rule->action, &rule->tests[i], 1);
	return r;
}

/*
 * socketcall and ipc carry other calls, with their arguments in memory where a filter cannot look.
 * So a rule with conditions is followed there only where it is stricter than the default.
 */
static int add_muxed(struct compiler *c, const struct rule *rule, const struct seccomp_name *name)
{
	const struct seccomp_mux *mux = &seccomp_tables.muxes[name->mux - 1];
	struct seccomp_test test = {
		.op = SECCOMP_OP_EQ, .arg = 0, .value = name->mux_call, .mask = mux->mask
	};
	/* The kernel's order: the signed number of an action is the smaller the stricter it is. */
	bool stricter = (int32_t)(rule->action & SECCOMP_RET_ACTION_FULL) <
			(int32_t)(c->defaults.action & SECCOMP_RET_ACTION_FULL);

	if (!(c->defaults.abis & 1U << mux->abi) || rule->is_default ||
	    (rule->tests_count && !stricter))
		return 0;
	return seccomp_table_add(c->table, mux->abi, mux->nr, rule->action, &test, 1);
}

static int add_call(struct compiler *c, const struct rule *rule, const char *text)
{
	const struct seccomp_name *name = seccomp_tables_find(&seccomp_tables, text);
	int r = 0;

	if (!name && c->profile->fail_unknown_call)
		return err_say(c->err, EINVAL,
			       "linux.seccomp.syscalls[%zu]: no call is named \"%s\"", rule->index,
			       text);
	if (!name) {
		log_debug("linux.seccomp.syscalls[%zu]: no call is named \"%s\", skipped",
			  rule->index, text);
		return 0;
	}
	for (size_t abi = 0; abi < seccomp_tables.abis_count && r == 0; abi++)
		if (c->defaults.abis & 1U << abi && name->nr[abi] >= 0)
			r = add_number(c, rule, abi, (uint32_t)name->nr[abi]);
	if (r == 0 && name->mux)
		r = add_muxed(c, rule, name);
	return r < 0 ? err_set(c->err, -r, "compile the seccomp profile") : 0;
}

static int read_rule(struct compiler *c, size_t index)
{
	const struct oci_seccomp_rule *source = &c->profile->rules[index];
	struct rule rule = { .index = index };
	char path[64];
	int r;

	snprintf(path, sizeof(path), "linux.seccomp.syscalls[%zu]", index);
	if (!source->names || !source->names[0])
		return err_say(c->err, EINVAL, "%s.names: at least one is needed", path);
	r = read_action(c, path, "action", source->action, "errnoRet", &source->errno_ret,
			&rule.action);
	if (r < 0)
		return r;
	rule.is_default = rule.action == c->defaults.action;
	r = read_tests(c, &rule);
	for (size_t i = 0; r == 0 && source->names[i]; i++)
		r = add_call(c, &rule, source->names[i]);
	return r;
}

static int read_profile(struct compiler *c, uint32_t *ret_flags)
{
	int r = read_defaults(c);

	if (r == 0)
		r = read_architectures(c);
	for (size_t i = 0; r == 0 && i < c->profile->rules_count; i++)
		r = read_rule(c, i);
	if (r == 0)
		r = read_flags(c, ret_flags);
	if (r == 0 && c->notifies && !c->profile->listener_path)
		return err_say(c->err, EINVAL,
			       "linux.seccomp.listenerPath: missing, and SCMP_ACT_NOTIFY needs it");
	return r;
}

int seccomp_compile(const struct oci_seccomp *profile, struct seccomp_program *ret, struct err *err)
{
	_cleanup_seccomp_table_ struct seccomp_table *table =
		seccomp_table_new(seccomp_tables.abis, seccomp_tables.abis_count);
	struct compiler c = { .profile = profile, .table = table, .err = err };
	struct seccomp_program program = { 0 };
	int r;

	if (!table)
		return err_set(err, ENOMEM, "compile the seccomp profile");
	if (profile->ready_filter) {
		program.filter = (struct sock_filter *)(uintptr_t)profile->ready_filter;
		program.count = (unsigned short)profile->ready_count;
		program.is_static = 1;
		*ret = program;
		return 0;
	}
	r = read_profile(&c, &program.flags);
	if (r < 0)
		return r;
	r = seccomp_table_compile(table, &c.defaults, &program.filter, &program.count, err);
	if (r < 0)
		return err_add(err, "linux.seccomp");
	*ret = program;
	return 0;
}
