/* SPDX-License-Identifier: Apache-2.0 */
/* "vm" of config.json, read and written: what a virtual machine is made of. */
#include <errno.h>
#include <string.h>

#include "spec/oci_parse.h"

static int need_path(const struct json_node *node, struct arena *arena, const char **ret,
		     struct err *err)
{
	return json_need(oci_parse_path(node, "path", arena, ret, err), node, "path", err);
}

static int parse_hypervisor(const struct json_node *vm, struct arena *arena, struct oci_vm *ret,
			    struct err *err)
{
	struct json_node node;
	int r = json_get_object(vm, "hypervisor", &node, err);

	if (r <= 0)
		return r;
	err_try(need_path(&node, arena, &ret->hypervisor_path, err));
	return json_get_strings(&node, "parameters", arena, &ret->hypervisor_parameters, NULL, err);
}

static int parse_kernel(const struct json_node *vm, struct arena *arena, struct oci_vm *ret,
			struct err *err)
{
	struct json_node node;

	err_try(json_need(json_get_object(vm, "kernel", &node, err), vm, "kernel", err));
	err_try(need_path(&node, arena, &ret->kernel_path, err));
	err_try(json_get_strings(&node, "parameters", arena, &ret->kernel_parameters, NULL, err));
	return oci_parse_path(&node, "initrd", arena, &ret->kernel_initrd, err);
}

static int parse_image(const struct json_node *vm, struct arena *arena, struct oci_vm *ret,
		       struct err *err)
{
	static const char *const formats[] = { "raw", "qcow2", "vdi", "vmdk", "vhd" };
	struct json_node node, bad;
	int r = json_get_object(vm, "image", &node, err);

	if (r <= 0)
		return r;
	err_try(need_path(&node, arena, &ret->image_path, err));
	err_try(json_need(json_get_string(&node, "format", arena, &ret->image_format, err), &node,
			  "format", err));
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (strcmp(ret->image_format, formats[i]) == 0)
			return 1;
	json_get(&node, "format", &bad, err);
	return json_bad(&bad, err, "\"%s\" is none of raw, qcow2, vdi, vmdk, vhd",
			ret->image_format);
}

static int parse_iomem(const struct json_node *node, struct arena *arena, void *ret,
		       struct err *err)
{
	struct oci_vm_iomem *mem = ret;
	int r = json_get_u64(node, "firstGFN", &mem->first_gfn, err);

	(void)arena;
	if (r < 0)
		return r;
	mem->has_first_gfn = r > 0;
	err_try(json_need(json_get_u64(node, "firstMFN", &mem->first_mfn, err), node, "firstMFN",
			  err));
	return json_need(json_get_u64(node, "nrMFNs", &mem->nr_mfns, err), node, "nrMFNs", err);
}

static int parse_irqs(const struct json_node *node, struct arena *arena, struct oci_vm *ret,
		      struct err *err)
{
	struct json_node array;
	uint32_t *irqs;
	size_t count;
	int r = json_get_array(node, "irqs", &array, &count, err);

	if (r <= 0)
		return r;
	irqs = arena_calloc(arena, count + 1, sizeof(*irqs));
	if (!irqs)
		return err_set(err, ENOMEM, "read vm");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);
		uint64_t n;

		err_try(json_u64(&item, UINT32_MAX, &n, err));
		irqs[i] = (uint32_t)n;
	}
	ret->irqs = irqs;
	ret->irqs_count = count;
	return 1;
}

static int parse_hardware(const struct json_node *vm, struct arena *arena, struct oci_vm *ret,
			  struct err *err)
{
	struct json_node node;
	int r = json_get_object(vm, "hwConfig", &node, err);

	if (r <= 0)
		return r;
	ret->has_hardware = true;
	err_try(oci_parse_path(&node, "deviceTree", arena, &ret->device_tree, err));
	err_try(oci_parse_opt_u32(&node, "vcpus", &ret->vcpus, err));
	err_try(oci_parse_opt_u64(&node, "memory", &ret->memory_bytes, err));
	err_try(json_get_strings(&node, "dtdevs", arena, &ret->dtdevs, NULL, err));
	err_try(oci_parse_list(&node, "iomems", arena, sizeof(struct oci_vm_iomem), parse_iomem,
			       &ret->iomems, &ret->iomems_count, err));
	return parse_irqs(&node, arena, ret, err);
}

int oci_parse_vm(const struct json_node *root, struct arena *arena, const struct oci_vm **ret,
		 struct err *err)
{
	struct json_node node;
	struct oci_vm *vm;
	int r = json_get_object(root, "vm", &node, err);

	if (r <= 0)
		return r;
	vm = arena_alloc(arena, sizeof(*vm));
	if (!vm)
		return err_set(err, ENOMEM, "read vm");
	err_try(parse_hypervisor(&node, arena, vm, err));
	err_try(parse_kernel(&node, arena, vm, err));
	err_try(parse_image(&node, arena, vm, err));
	err_try(parse_hardware(&node, arena, vm, err));
	*ret = vm;
	return 1;
}

static void put_hardware(struct json_writer *w, const struct oci_vm *vm)
{
	json_key(w, "hwConfig");
	json_open_object(w);
	json_field_string(w, "deviceTree", vm->device_tree);
	if (vm->vcpus.set)
		json_field_u64(w, "vcpus", vm->vcpus.value);
	if (vm->memory_bytes.set)
		json_field_u64(w, "memory", vm->memory_bytes.value);
	json_field_strings(w, "dtdevs", vm->dtdevs);
	if (vm->iomems) {
		json_key(w, "iomems");
		json_open_array(w);
		for (size_t i = 0; i < vm->iomems_count; i++) {
			json_open_object(w);
			if (vm->iomems[i].has_first_gfn)
				json_field_u64(w, "firstGFN", vm->iomems[i].first_gfn);
			json_field_u64(w, "firstMFN", vm->iomems[i].first_mfn);
			json_field_u64(w, "nrMFNs", vm->iomems[i].nr_mfns);
			json_close_object(w);
		}
		json_close_array(w);
	}
	if (vm->irqs) {
		json_key(w, "irqs");
		json_open_array(w);
		for (size_t i = 0; i < vm->irqs_count; i++)
			json_put_u64(w, vm->irqs[i]);
		json_close_array(w);
	}
	json_close_object(w);
}

void oci_put_vm(struct json_writer *w, const struct oci_vm *vm)
{
	if (!vm)
		return;
	json_key(w, "vm");
	json_open_object(w);
	if (vm->hypervisor_path) {
		json_key(w, "hypervisor");
		json_open_object(w);
		json_field_string(w, "path", vm->hypervisor_path);
		json_field_strings(w, "parameters", vm->hypervisor_parameters);
		json_close_object(w);
	}
	json_key(w, "kernel");
	json_open_object(w);
	json_field_string(w, "path", vm->kernel_path);
	json_field_strings(w, "parameters", vm->kernel_parameters);
	json_field_string(w, "initrd", vm->kernel_initrd);
	json_close_object(w);
	if (vm->image_path) {
		json_key(w, "image");
		json_open_object(w);
		json_field_string(w, "path", vm->image_path);
		json_field_string(w, "format", vm->image_format);
		json_close_object(w);
	}
	if (vm->has_hardware)
		put_hardware(w, vm);
	json_close_object(w);
}
