/* SPDX-License-Identifier: Apache-2.0 */
/* eat [MIB]: uses so much memory, and as much more as each line of stdin says, until it is killed.
 * For tests of machines that run out of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The compiler must not see that nobody reads it. */
static char *volatile eaten;

static void eat(long mib)
{
	size_t size = (size_t)mib << 20;
	char *memory = mib > 0 ? malloc(size) : NULL;

	if (!memory)
		return;
	eaten = memory;
	memset(eaten, 1, size);
	printf("%ld\n", mib);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[32];

	eat(argc > 1 ? strtol(argv[1], NULL, 10) : 0);
	while (fgets(line, sizeof(line), stdin))
		eat(strtol(line, NULL, 10));
	for (;;)
		pause();
}
