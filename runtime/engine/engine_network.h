/* SPDX-License-Identifier: Apache-2.0 */
/* What a person may ask for of a container's network. Zero values are Docker's defaults. */
#pragma once

#include "netns/publish.h"

struct engine_network_options {
	const struct publish_port *ports; /* of the host, passed on to it */
	size_t ports_count;
};
