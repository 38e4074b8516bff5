/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/master/status.h"

#include <errno.h>

unsigned status_of_error(const struct err *err)
{
	switch (err->code) {
	case ENOENT:
		return 404;
	case EEXIST:
	case EBUSY:
		return 409;
	case EINVAL:
	case ERANGE:
	case EBADMSG:
		return 400;
	case E2BIG:
	case EFBIG:
		return 413;
	case EDQUOT:
	case EPERM:
	case EACCES:
		return 403;
	case ENOTCONN:
		return 401;
	case ESTALE:
		return 409;
	case EAGAIN:
	case ENOSPC:
		return 503;
	default:
		return 500;
	}
}
