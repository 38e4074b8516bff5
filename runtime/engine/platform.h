/* SPDX-License-Identifier: Apache-2.0 */
/* "linux/arm64/v8": for which system and processor an image is. */
#pragma once

#include "base/err.h"
#include "spec/oci_image.h"

/*
 * OS[/ARCH[/VARIANT]] or ARCH alone, in the image specification's words or the kernel's (x86_64,
 * aarch64). -EINVAL for what is none, with the option's name.
 */
int platform_check_word(const char *text, struct err *err);

/* Whether an image is for the platform asked for: 0, or -ENOENT with what it is for. */
int platform_check_image(const char *text, const char *image_name, const struct oci_image *image,
			 struct err *err);
