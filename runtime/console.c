/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/console.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "runtime/fd_socket.h"

int console_connect(const char *path, struct err *err)
{
	return fd_socket_connect(path, "console socket", err);
}

int console_send(int socket, int master, struct err *err)
{
	char name[32] = "/dev/ptmx";
	unsigned number;
	int r;

	if (ioctl(master, TIOCGPTN, &number) == 0)
		snprintf(name, sizeof(name), "/dev/pts/%u", number);
	r = fd_socket_send(socket, master, name, strlen(name));
	return r < 0 ? err_set(err, -r, "send the terminal to the console socket") : 0;
}
