/* SPDX-License-Identifier: Apache-2.0 */
/* once FOLDER: holds a lock there until it is killed; where another one holds it, it tells so in a
 * file beside it. For tests of what must never run twice. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct timespec now;
	int lock, twice;

	if (argc != 2 || chdir(argv[1]) < 0)
		return 1;
	lock = open("lock", O_RDWR | O_CREAT, 0644);
	twice = open("twice", O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (lock < 0 || twice < 0)
		return 1;
	if (flock(lock, LOCK_EX | LOCK_NB) < 0) {
		clock_gettime(CLOCK_REALTIME, &now);
		dprintf(twice, "twice at %lld.%03ld\n", (long long)now.tv_sec,
			now.tv_nsec / 1000000);
		flock(lock, LOCK_EX);
	}
	for (;;)
		pause();
}
