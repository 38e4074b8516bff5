/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/sim/chart.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/strbuf.h"

#define WIDTH 960
#define HEIGHT 220
#define LEFT 50
#define COLUMNS_MAX WIDTH /* machines drawn, evenly chosen where there are more */

static float part(int64_t used, int64_t capacity)
{
	return capacity > 0 ? (float)used / (float)capacity : 0;
}

/* Keeps the cell as it is now. */
static void keep(struct chart *chart, struct cell *cell)
{
	struct machine_view m;
	size_t count = 0;

	while (cell_machine(cell, (uint32_t)count, &m) == 0)
		count++;
	if (count != chart->machine_count) {
		free(chart->machines);
		chart->machines = calloc(count + 1, sizeof(*chart->machines));
		chart->machine_count = count;
	}
	if (!chart->machines) {
		chart->out_of_memory = true;
		chart->machine_count = 0;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		cell_machine(cell, (uint32_t)i, &m);
		amounts_subtract(&m.free, &m.capacity);
		chart->machines[i].cpu =
			part(-m.free.of[RESOURCE_CPU], m.capacity.of[RESOURCE_CPU]);
		chart->machines[i].memory =
			part(-m.free.of[RESOURCE_MEMORY], m.capacity.of[RESOURCE_MEMORY]);
	}
}

void chart_watch(void *data, struct cell *cell, int64_t now_ms)
{
	struct chart *chart = data;
	struct amounts used, capacity;
	struct chart_point *p;

	if (chart->count == chart->size) {
		size_t size = chart->size ? chart->size * 2 : 256;
		struct chart_point *more = reallocarray(chart->points, size, sizeof(*more));

		if (!more) {
			chart->out_of_memory = true;
			return;
		}
		chart->points = more;
		chart->size = size;
	}
	cell_use(cell, &used, &capacity);
	p = &chart->points[chart->count++];
	p->at_ms = now_ms;
	p->cpu = part(used.of[RESOURCE_CPU], capacity.of[RESOURCE_CPU]);
	p->memory = part(used.of[RESOURCE_MEMORY], capacity.of[RESOURCE_MEMORY]);
	/* Each half percent is enough, and cheap. */
	if ((double)p->cpu > chart->fullest + 0.005 || !chart->machines) {
		chart->fullest = (double)p->cpu;
		chart->fullest_ms = now_ms;
		keep(chart, cell);
	}
}

static void line(struct strbuf *sb, const struct chart *chart, bool memory, const char *colour)
{
	int64_t last = chart->count ? chart->points[chart->count - 1].at_ms : 0;

	strbuf_addf(sb, "<polyline fill=\"none\" stroke=\"%s\" points=\"", colour);
	for (size_t i = 0; i < chart->count; i++) {
		const struct chart_point *p = &chart->points[i];
		double x = LEFT + (last ? (double)p->at_ms / (double)last * WIDTH : 0);
		double y = 40 + HEIGHT * (1 - (double)(memory ? p->memory : p->cpu));

		strbuf_addf(sb, "%.1f,%.1f ", x, y);
	}
	strbuf_adds(sb, "\"/>\n");
}

static void columns(struct strbuf *sb, const struct chart *chart, double top, bool memory,
		    const char *colour)
{
	size_t count = chart->machine_count < COLUMNS_MAX ? chart->machine_count : COLUMNS_MAX;

	for (size_t i = 0; i < count; i++) {
		const struct chart_machine *m = &chart->machines[i * chart->machine_count / count];
		double full = (double)(memory ? m->memory : m->cpu),
		       wide = (double)WIDTH / (double)count;

		strbuf_addf(
			sb,
			"<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" fill=\"%s\"/>\n",
			LEFT + (double)i * wide, top + HEIGHT * (1 - full), wide, HEIGHT * full,
			colour);
	}
}

static void frame(struct strbuf *sb, double top, const char *title)
{
	strbuf_addf(sb, "<text x=\"%d\" y=\"%.0f\">%s</text>\n", LEFT, top - 8, title);
	strbuf_addf(sb,
		    "<rect x=\"%d\" y=\"%.0f\" width=\"%d\" height=\"%d\" fill=\"none\" "
		    "stroke=\"#333\"/>\n",
		    LEFT, top, WIDTH, HEIGHT);
	strbuf_addf(sb,
		    "<text x=\"5\" y=\"%.0f\">100 %%</text><text x=\"5\" y=\"%.0f\">0 %%</text>\n",
		    top + 12, top + HEIGHT);
}

int chart_write(const struct chart *chart, const char *path, struct err *err)
{
	_cleanup_strbuf_ struct strbuf sb = { 0 };
	char title[100];

	strbuf_addf(&sb,
		    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
		    "font-family=\"sans-serif\" font-size=\"13\">\n"
		    "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		    LEFT + WIDTH + 20, 3 * (HEIGHT + 50) + 10);
	frame(&sb, 40, "In use over time: CPU blue, memory orange");
	line(&sb, chart, false, "#2f6db3");
	line(&sb, chart, true, "#d9822b");
	snprintf(title, sizeof(title), "CPU of each machine at %lld s, the fullest moment",
		 (long long)(chart->fullest_ms / 1000));
	columns(&sb, chart, 90 + HEIGHT, false, "#9db8d9");
	frame(&sb, 90 + HEIGHT, title);
	columns(&sb, chart, 140 + 2 * HEIGHT, true, "#efc08f");
	frame(&sb, 140 + 2 * HEIGHT, "Memory of each machine then");
	strbuf_adds(&sb, "</svg>\n");
	if (chart->out_of_memory || !strbuf_ok(&sb))
		return err_set(err, ENOMEM, "draw %s", path);
	return file_replace(AT_FDCWD, path, sb.data, sb.len, 0644, false, err);
}

void chart_deinit(struct chart *chart)
{
	free(chart->points);
	free(chart->machines);
	*chart = (struct chart){ 0 };
}
