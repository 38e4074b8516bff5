/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of images: REGISTRY/REPOSITORY:TAG, as in "docker.io/library/bb:latest". A first part
 * without '.' and ':' that isn't "localhost" is no registry: the name is a short one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define NAME_SIZE 240 /* NUL counted; escaped it still is a file name */

/* The full name: localhost/ in front of a short name, :latest behind one without a tag. */
int name_complete(const char *text, char ret[static NAME_SIZE], struct err *err);

/* Full names that text may stand for, best first. Returns how many, 0 where text is no name. */
#define NAME_CANDIDATES 2
size_t name_candidates(const char *text, char ret[static NAME_CANDIDATES][NAME_SIZE]);

/* The name from a layout: ref (annotation, may be NULL) is a name or a bare tag; path is where the
 * layout lies, "/tmp/bb.tar": its last part names the image when ref doesn't; NULL: nothing does.
 */
int name_from_layout(const char *ref, const char *path, char ret[static NAME_SIZE],
		     struct err *err);

/* The name that docker save wrote as a tag: where it names no registry, docker.io is meant. */
int name_from_docker(const char *tag, char ret[static NAME_SIZE], struct err *err);

/* As a file name: '/' becomes "%2F". */
void name_escape(const char *name, char ret[static 3 * NAME_SIZE]);
