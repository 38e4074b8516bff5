/* SPDX-License-Identifier: Apache-2.0 */
/* The health check of a container that is made. */
#include <errno.h>
#include <signal.h>

#include "base/signal_name.h"
#include "runtime/engine/creation.h"
#include "runtime/engine/health.h"

#define TIMEOUT_MAX_S 1000000

int creation_choose_health(struct creation *c, struct err *err)
{
	struct engine_health *health = &c->meta.health;

	err_try(health_choose(&c->options->supervision.health, &c->image->config.healthcheck,
			      c->image->config.shell, c->arena, health, err));
	if (health->action == SHIM_HEALTH_RESTART && c->options->auto_remove)
		return err_say(err, EINVAL,
			       "--rm and --health-on-failure restart exclude each "
			       "other");
	return 0;
}

int creation_build_health(struct creation *c, struct shim_health *ret, struct err *err)
{
	_cleanup_oci_config_ struct oci_config *config = NULL;
	int64_t timeout_s = c->meta.stop_timeout_s;
	int sig = SIGTERM;

	if (!c->meta.health.test)
		return 0;
	err_try(oci_config_load(c->fd, LAYOUT_CONFIG, &config, err));
	err_try(health_build(&c->meta.health, config, c->arena, ret, err));
	/* One that makes no sense is the image's mistake. */
	if (c->meta.stop_signal)
		signal_parse(c->meta.stop_signal, &sig, NULL);
	ret->stop_signal = (uint32_t)sig;
	ret->stop_timeout_ms =
		(uint32_t)(timeout_s < 0 || timeout_s > TIMEOUT_MAX_S ? TIMEOUT_MAX_S : timeout_s) *
		1000;
	return 0;
}
