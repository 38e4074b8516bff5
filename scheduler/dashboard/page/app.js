/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dashboard's page. It reads /v1/picture, /v1/jobs and /v1/events of the host that it came from,
 * with the token behind the '#' of its address, and asks nobody else. Text from the cell becomes
 * text nodes, never markup.
 */
"use strict";

const BANDS = ["free", "batch", "mid", "production", "monitoring"];
const LEAST_WAIT_MS = 1000;
const EVENTS_KEPT = 40;
const WHY_SHOWN = 20;

const $ = (id) => document.getElementById(id);
const state = { token: "", machines: [], jobs: [], machine: null, job: null, events: [], since: 0 };

function takeToken() {
	if (location.hash.length > 1) {
		sessionStorage.setItem("token", location.hash.slice(1));
		history.replaceState(null, "", location.pathname);
	}
	state.token = sessionStorage.getItem("token") || "";
}

async function ask(path) {
	const answer = await fetch(path, { headers: { Authorization: "Bearer " + state.token }, cache: "no-store" });

	if (answer.ok)
		return answer;
	const body = await answer.json().catch(() => ({}));

	throw Object.assign(new Error(body.error || answer.statusText), { status: answer.status });
}

async function get(path) {
	return (await ask(path)).json();
}

/* ---- words ---- */

function cores(milli) {
	return (milli / 1000).toLocaleString("en", { maximumFractionDigits: 1 }) + " cores";
}

function bytes(n) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB"];
	let unit = 0;

	while (n >= 1024 && unit < units.length - 1) {
		n /= 1024;
		unit++;
	}
	return n.toLocaleString("en", { maximumFractionDigits: 1 }) + " " + units[unit];
}

function share(used, of) {
	return of > 0 ? Math.round((100 * used) / of) + " %" : "–";
}

function bandOf(priority) {
	return priority < 100 ? 0 : priority < 116 ? 1 : priority < 120 ? 2 : priority < 360 ? 3 : 4;
}

/* ---- elements ---- */

function element(name, text, className) {
	const e = document.createElement(name);

	if (text !== undefined && text !== null)
		e.textContent = text;
	if (className)
		e.className = className;
	return e;
}

function link(text, onClick) {
	const b = element("button", text);

	b.type = "button";
	b.addEventListener("click", onClick);
	return b;
}

function row(cells) {
	const tr = element("tr");

	for (const cell of cells) {
		const td = element("td", undefined, typeof cell === "number" ? "n" : cell?.className);

		td.append(cell instanceof Node ? cell : String(cell ?? ""));
		tr.append(td);
	}
	return tr;
}

function band(priority) {
	const name = BANDS[bandOf(priority)], e = element("span");

	e.append(element("i", "", "dot " + name), name);
	return e;
}

/* ---- the picture: CPU left, memory right, from the bottom by band ---- */

function sideOf(count) {
	return count <= 12 ? 96 : count <= 60 ? 56 : count <= 400 ? 28 : count <= 2500 ? 14 : 8;
}

function color(name) {
	return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

function drawMachine(context, machine, x, y, side, colors) {
	const half = side / 2, down = machine.state === "down";
	const halves = [[x, 0, machine.cpu_milli], [x + half, 1, machine.memory_bytes]];

	context.globalAlpha = down ? 0.25 : 1;
	context.fillStyle = colors.room;
	context.fillRect(x, y, side, side);
	for (const [left, which, capacity] of halves) {
		let bottom = y + side;

		for (let i = BANDS.length - 1; i >= 0; i--) {
			const height = capacity > 0 ? (side * machine.bands[i][which]) / capacity : 0;

			context.fillStyle = colors[BANDS[i]];
			context.fillRect(left, bottom - height, half - (side > 10 ? 1 : 0), height);
			bottom -= height;
		}
	}
	context.globalAlpha = 1;
	if (machine.state !== "up") {
		context.strokeStyle = down ? colors.bad : colors.faint;
		context.lineWidth = side > 20 ? 3 : 1;
		context.strokeRect(x + 1, y + 1, side - 2, side - 2);
	}
}

function place(canvas, machines, side) {
	const gap = side > 20 ? 6 : 2, columns = Math.max(1, Math.ceil(Math.sqrt(machines.length * 2)));
	const rows = Math.ceil(machines.length / columns), scale = window.devicePixelRatio || 1;
	const step = side + gap, context = canvas.getContext("2d");
	const colors = Object.fromEntries([...BANDS, "room", "bad", "faint"].map((n) => [n, color(n)]));

	canvas.width = Math.min(columns, machines.length) * step * scale;
	canvas.height = rows * step * scale;
	canvas.style.width = canvas.width / scale + "px";
	context.scale(scale, scale);
	machines.forEach((m, i) =>
		drawMachine(context, m, (i % columns) * step, Math.floor(i / columns) * step, side, colors));
	canvas.find = (event) => {
		const box = canvas.getBoundingClientRect(), shrink = canvas.width / scale / box.width;
		const column = Math.floor(((event.clientX - box.left) * shrink) / step);

		return machines[Math.floor(((event.clientY - box.top) * shrink) / step) * columns + column];
	};
}

function tip(event, machine) {
	const t = $("tip");

	t.hidden = !machine;
	if (!machine)
		return;
	t.textContent = describe(machine);
	t.style.left = Math.min(event.clientX + 14, window.innerWidth - 240) + "px";
	t.style.top = event.clientY + 14 + "px";
}

function used(machine, which) {
	return machine.bands.reduce((sum, b) => sum + b[which], 0);
}

function describe(machine) {
	return `${machine.name}, ${machine.state}\n${used(machine, 2)} tasks\n` +
		`${cores(machine.cpu_milli - used(machine, 0))} of ${cores(machine.cpu_milli)} free\n` +
		`${bytes(machine.memory_bytes - used(machine, 1))} of ${bytes(machine.memory_bytes)} free`;
}

function drawPicture() {
	const racks = new Map(), side = sideOf(state.machines.length), fresh = [];

	for (const machine of state.machines) {
		const rack = machine.rack || "";

		if (!racks.has(rack))
			racks.set(rack, []);
		racks.get(rack).push(machine);
	}
	for (const [name, machines] of [...racks].sort()) {
		const box = element("div", undefined, "rack"), canvas = element("canvas");
		const list = element("ul", undefined, "seen-by-readers");

		if (name)
			box.append(element("h3", name));
		canvas.addEventListener("mousemove", (e) => tip(e, canvas.find(e)));
		canvas.addEventListener("mouseleave", () => ($("tip").hidden = true));
		canvas.addEventListener("click", (e) => showMachine(canvas.find(e)?.name));
		for (const machine of machines.slice(0, 200)) {
			const item = element("li");

			item.dataset.machine = machine.name;
			item.dataset.state = machine.state;
			item.append(link(describe(machine), () => showMachine(machine.name)));
			list.append(item);
		}
		box.append(canvas, list);
		place(canvas, machines, side);
		fresh.push(box);
	}
	/* A reader's place in the list is worth more than a picture that is a second younger. */
	if (!document.activeElement?.closest("#picture"))
		$("picture").replaceChildren(...fresh);
}

function drawTotals() {
	const up = state.machines.filter((m) => m.state !== "down");
	const sum = (list, f) => list.reduce((n, m) => n + f(m), 0);

	$("machines-up").textContent = `${up.length} of ${state.machines.length} up`;
	$("tasks-running").textContent = sum(state.jobs, (j) => j.running).toLocaleString("en");
	$("tasks-pending").textContent = sum(state.jobs, (j) => j.pending).toLocaleString("en");
	$("cpu-used").textContent = share(sum(up, (m) => used(m, 0)), sum(up, (m) => m.cpu_milli));
	$("memory-used").textContent = share(sum(up, (m) => used(m, 1)), sum(up, (m) => m.memory_bytes));
}

/* ---- jobs, a job, a machine ---- */

function drawJobs() {
	const word = $("filter").value.toLowerCase();
	const shown = state.jobs.filter((j) => (j.name + " " + j.owner).toLowerCase().includes(word));

	$("no-jobs").hidden = state.jobs.length > 0;
	if (document.activeElement?.closest("#jobs"))
		return;
	$("jobs").replaceChildren(...shown.map((j) => row([link(j.name, () => showJob(j.name)), j.owner,
		band(j.priority), j.priority, j.state, j.running, j.pending, j.count])));
}

async function drawJob() {
	$("job").hidden = state.job === null;
	if (state.job === null)
		return;
	const job = await get("v1/jobs/" + encodeURIComponent(state.job)).catch((e) => e);

	$("job-title").textContent = job instanceof Error ? job.message : `Job ${job.name}`;
	$("job-tasks").replaceChildren(...(job.tasks || []).map((t) =>
		row([t.index, t.state, t.machine, t.restarts, t.reason])));
}

async function drawTasks() {
	$("machine").hidden = state.machine === null;
	if (state.machine === null)
		return;
	const answer = await get("v1/picture?machine=" + encodeURIComponent(state.machine)).catch((e) => e);

	$("machine-title").textContent = answer instanceof Error ? answer.message : `Machine ${state.machine}`;
	$("machine-tasks").replaceChildren(...(answer.tasks || []).map((t) =>
		row([t.task, band(t.priority), element("span", cores(t.cpu_milli), "n"),
			element("span", bytes(t.memory_bytes), "n")])));
}

async function drawWhy() {
	const waiting = state.jobs.filter((j) => j.pending > 0 && j.state === "up");
	const rows = [];

	waiting.sort((a, b) => b.priority - a.priority);
	for (const job of waiting.slice(0, WHY_SHOWN)) {
		const whole = await get("v1/jobs/" + encodeURIComponent(job.name)).catch(() => null);
		const task = whole?.tasks.find((t) => t.state === "pending" && t.reason);

		if (task)
			rows.push(row([link(`${job.name}/${task.index}`, () => showJob(job.name)), task.reason]));
	}
	$("waiting").hidden = rows.length === 0;
	if (!document.activeElement?.closest("#why"))
		$("why").replaceChildren(...rows);
}

function showJob(name) {
	state.job = name;
	drawJob().then(() => $("job").scrollIntoView({ block: "nearest" }));
}

function showMachine(name) {
	if (!name)
		return;
	state.machine = name;
	drawTasks().then(() => $("machine").scrollIntoView({ block: "nearest" }));
}

/* ---- what happened ---- */

async function drawEvents() {
	const lines = (await ask("v1/events?since=" + state.since).then((a) => a.text())).split("\n");

	for (const line of lines.filter((l) => l !== "")) {
		const event = JSON.parse(line);

		state.since = Math.max(state.since, event.index);
		state.events.unshift(event);
	}
	state.events.length = Math.min(state.events.length, EVENTS_KEPT);
	$("events").replaceChildren(...state.events.map((e) =>
		row([new Date(e.time_ms).toLocaleTimeString(), e.kind,
			e.job && e.task !== undefined ? `${e.job}/${e.task}` : e.job, e.machine, e.text ?? e.who])));
}

/* ---- life ---- */

function say(text, bad) {
	$("link").textContent = text;
	$("link").classList.toggle("bad", bad);
}

async function draw() {
	const [picture, jobs] = await Promise.all([get("v1/picture"), get("v1/jobs")]);

	state.machines = picture.machines;
	state.jobs = jobs;
	drawTotals();
	drawPicture();
	drawJobs();
	await Promise.all([drawJob(), drawTasks(), drawWhy(), drawEvents()]);
}

/* A large cell is asked less often: the page takes a twentieth of the time at most. */
async function live() {
	const start = performance.now();
	let stop = false;

	try {
		if (!document.hidden)
			await draw();
		say("live", false);
	} catch (e) {
		stop = e.status === 401;
		say(stop ? "this address has no valid token: open the one that `ctr cell dashboard` prints"
			 : "no answer from the cell: " + e.message, true);
	}
	if (!stop)
		setTimeout(live, Math.max(LEAST_WAIT_MS, 19 * (performance.now() - start)));
}

function begin() {
	takeToken();
	for (const name of BANDS) {
		const item = element("li");

		item.append(element("i", "", name), name);
		$("legend").append(item);
	}
	const room = element("li");

	room.append(element("i", "", "room"), "room; CPU left, memory right");
	$("legend").append(room);
	$("filter").addEventListener("input", drawJobs);
	$("job-close").addEventListener("click", () => { state.job = null; drawJob(); });
	$("machine-close").addEventListener("click", () => { state.machine = null; drawTasks(); });
	live();
}

begin();
