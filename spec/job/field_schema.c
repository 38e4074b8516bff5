/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a document as a JSON schema. */
#include "spec/job/field.h"

#define NAME_PATTERN "^[a-z0-9][a-z0-9.-]{0,62}$"
#define MILLI_PATTERN "^[0-9]+(\\.[0-9]{1,5})?m?$"
#define BYTES_PATTERN "^[0-9]+(\\.[0-9]{1,5})?([kMGT]|[KMGT]i)?$"
#define TIME_PATTERN "^([0-9]+(\\.[0-9]{1,5})?(ms|s|m|h|d)|0)$"

/* Amounts may be written as numbers or as text with a unit. */
static void put_amount(struct json_writer *w, const char *pattern)
{
	json_field_strings(w, "type", (const char *const[]){ "string", "number", NULL });
	json_field_string(w, "pattern", pattern);
	json_field_i64(w, "minimum", 0);
}

static void put_strings(struct json_writer *w, const char *type, const char *items)
{
	json_field_string(w, "type", type);
	json_key(w, items);
	json_open_object(w);
	json_field_strings(w, "type", (const char *const[]){ "string", "number", "boolean", NULL });
	json_close_object(w);
}

static void put_kind(struct json_writer *w, const struct field *f)
{
	switch (f->kind) {
	case FIELD_TEXT:
	case FIELD_NAME:
		json_field_string(w, "type", "string");
		if (f->kind == FIELD_NAME)
			json_field_string(w, "pattern", NAME_PATTERN);
		break;
	case FIELD_BOOL:
		json_field_string(w, "type", "boolean");
		break;
	case FIELD_NUMBER:
		json_field_string(w, "type", "integer");
		json_field_i64(w, "minimum", f->min);
		if (f->max)
			json_field_i64(w, "maximum", f->max);
		break;
	case FIELD_CPU:
	case FIELD_SHARE:
		put_amount(w, MILLI_PATTERN);
		break;
	case FIELD_BYTES:
		put_amount(w, BYTES_PATTERN);
		break;
	case FIELD_DURATION:
		put_amount(w, TIME_PATTERN);
		break;
	case FIELD_WORD:
		json_field_strings(w, "enum", f->words);
		break;
	case FIELD_TEXTS:
		put_strings(w, "array", "items");
		break;
	case FIELD_PAIRS:
		put_strings(w, "object", "additionalProperties");
		break;
	case FIELD_OBJECT:
		fields_schema(f->fields, w);
		break;
	case FIELD_OBJECTS:
		json_field_string(w, "type", "array");
		json_key(w, "items");
		json_open_object(w);
		fields_schema(f->fields, w);
		json_close_object(w);
		if (f->max)
			json_field_i64(w, "maxItems", f->max);
		break;
	}
}

void fields_schema(const struct field *fields, struct json_writer *w)
{
	json_field_string(w, "type", "object");
	json_key(w, "properties");
	json_open_object(w);
	for (const struct field *f = fields; f->name; f++) {
		json_key(w, f->name);
		json_open_object(w);
		json_field_string(w, "description", f->help);
		put_kind(w, f);
		json_close_object(w);
	}
	json_close_object(w);
	json_key(w, "required");
	json_open_array(w);
	for (const struct field *f = fields; f->name; f++)
		if (f->needed)
			json_put_string(w, f->name);
	json_close_array(w);
	json_field_bool(w, "additionalProperties", false);
}
