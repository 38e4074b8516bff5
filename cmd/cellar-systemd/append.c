/* SPDX-License-Identifier: Apache-2.0 */
/* Properties as text into a message of D-Bus. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cellar-systemd/manager.h"

static int append_signed(sd_bus_message *m, char type, const char *text, int64_t min, int64_t max)
{
	char *end;
	int64_t n;

	errno = 0;
	n = strtoll(text, &end, 0);
	if (errno || end == text || *end || n < min || n > max)
		return -EINVAL;
	if (type == 'n')
		return sd_bus_message_append(m, "n", (int)n);
	return type == 'i' ? sd_bus_message_append(m, "i", (int32_t)n)
			   : sd_bus_message_append(m, "x", n);
}

static int append_unsigned(sd_bus_message *m, char type, const char *text, uint64_t max)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || n > max)
		return -EINVAL;
	switch (type) {
	case 'y':
		return sd_bus_message_append(m, "y", (int)n);
	case 'q':
		return sd_bus_message_append(m, "q", (int)n);
	case 'u':
		return sd_bus_message_append(m, "u", (uint32_t)n);
	default:
		return sd_bus_message_append(m, "t", n);
	}
}

static int append_basic(sd_bus_message *m, char type, const char *text)
{
	char *end;
	double d;

	switch (type) {
	case 'y':
		return append_unsigned(m, type, text, UINT8_MAX);
	case 'q':
		return append_unsigned(m, type, text, UINT16_MAX);
	case 'u':
		return append_unsigned(m, type, text, UINT32_MAX);
	case 't':
		return append_unsigned(m, type, text, UINT64_MAX);
	case 'n':
		return append_signed(m, type, text, INT16_MIN, INT16_MAX);
	case 'i':
		return append_signed(m, type, text, INT32_MIN, INT32_MAX);
	case 'x':
		return append_signed(m, type, text, INT64_MIN, INT64_MAX);
	case 'd':
		d = strtod(text, &end);
		return *end || end == text ? -EINVAL : sd_bus_message_append(m, "d", d);
	case 'b':
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			return -EINVAL;
		return sd_bus_message_append(m, "b", strcmp(text, "true") == 0);
	case 's':
		return sd_bus_message_append(m, "s", text);
	case 'o':
		return sd_bus_message_append(m, "o", text);
	default:
		return -EINVAL;
	}
}

static int append_array(sd_bus_message *m, const struct systemd_property *p)
{
	int r = sd_bus_message_open_container(m, 'a', p->type + 1);

	for (size_t i = 0; i < p->count && r >= 0; i++)
		r = append_basic(m, p->type[1], p->values[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_pairs(sd_bus_message *m, const struct systemd_property *p)
{
	int r = sd_bus_message_open_container(m, 'a', "(ss)");

	for (size_t i = 0; i + 1 < p->count && r >= 0; i += 2)
		r = sd_bus_message_append(m, "(ss)", p->values[i], p->values[i + 1]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_value(sd_bus_message *m, const struct systemd_property *p)
{
	int r = sd_bus_message_open_container(m, 'v', p->type);

	if (r < 0)
		return r;
	if (strcmp(p->type, "a(ss)") == 0)
		r = append_pairs(m, p);
	else if (p->type[0] == 'a' && p->type[1] && !p->type[2])
		r = append_array(m, p);
	else if (p->type[0] && !p->type[1] && p->count == 1)
		r = append_basic(m, p->type[0], p->values[0]);
	else
		r = -EINVAL;
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_property(sd_bus_message *m, const struct systemd_property *p, struct err *err)
{
	int r = sd_bus_message_open_container(m, 'r', "sv");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", p->name);
	if (r >= 0)
		r = append_value(m, p);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r == -EINVAL)
		return err_say(err, EINVAL, "property %s of systemd: '%s' is no value of type %s",
			       p->name, p->count ? p->values[0] : "", p->type);
	return r < 0 ? err_set(err, -r, "property %s of systemd", p->name) : 0;
}

int append_properties(struct manager *m, sd_bus_message *message,
		      const struct systemd_request *request, struct err *err)
{
	int r = sd_bus_message_open_container(message, 'a', "(sv)");

	if (r < 0)
		return err_set(err, -r, "write a message to systemd");
	for (size_t i = 0; i < request->properties_count; i++) {
		const struct systemd_property *p = &request->properties[i];

		if (p->since == 0 || manager_version(m) >= p->since)
			err_try(append_property(message, p, err));
	}
	if (request->verb == SYSTEMD_START && request->pid > 0)
		r = sd_bus_message_append(message, "(sv)", "PIDs", "au", 1, request->pid);
	if (r >= 0)
		r = sd_bus_message_close_container(message);
	return r < 0 ? err_set(err, -r, "write a message to systemd") : 0;
}
