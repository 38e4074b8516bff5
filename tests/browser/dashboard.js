/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dashboard in a real browser: node dashboard.js FOLDER. FOLDER/address holds the page's address;
 * tests/show/cell/dashboard has set up the cell. Files called FOLDER/do-* ask that script for a deed,
 * which it answers by removing them. Prints ok and FAIL lines.
 */
"use strict";

const fs = require("fs");
const path = require("path");
const { chromium } = require("playwright-core");

const PATIENCE_MS = 60000;
const folder = process.argv[2];
let failed = 0;

function check(name, good, detail) {
	console.log(good ? `ok ${name}` : `FAIL ${name}: ${detail}`);
	failed += good ? 0 : 1;
}

async function shows(page, name, selector, text) {
	const found = page.locator(selector, { hasText: text }).first();

	await found.waitFor({ state: "attached", timeout: PATIENCE_MS }).then(
		() => check(name, true),
		async () => check(name, false, JSON.stringify(await page.locator("body").innerText())));
	return found;
}

async function deed(name) {
	const file = path.join(folder, "do-" + name);

	fs.writeFileSync(file, "");
	for (let waited = 0; fs.existsSync(file) && waited < PATIENCE_MS; waited += 50)
		await new Promise((done) => setTimeout(done, 50));
}

async function look(page, asked) {
	await shows(page, "it is live", "#link", "live");
	await shows(page, "the machine is up", "#machines-up", "1 of 1 up");
	await shows(page, "its tasks are counted", "#tasks-running", "3");
	await shows(page, "a job with its owner and band", "#jobs tr", /web.*tests.*production.*200/);
	await shows(page, "why a task waits", "#why tr", /big\/0.*too small/);
	await page.locator("#jobs button", { hasText: "web" }).click();
	await shows(page, "a job's tasks", "#job-tasks tr:nth-child(3)", "running");
	/* By keyboard: for the eye there is the canvas. */
	await page.locator("#picture li button").first().focus();
	await page.keyboard.press("Enter");
	await shows(page, "a machine's tasks", "#machine-tasks tr", "web/2");
	const colors = await page.locator("#picture canvas").evaluate((canvas) => {
		const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
		const seen = new Set();

		for (let i = 0; i < data.length; i += 4)
			seen.add(data.slice(i, i + 4).join());
		return seen.size;
	});
	check("the picture shows more than room", colors > 2, `${colors} colors`);
	await page.locator("#job-close").click();
	await page.evaluate(() => { document.activeElement?.blur(); window.scrollTo(0, 0); });
	await page.screenshot({ path: path.join(folder, "dashboard.png") });

	await deed("markup");
	await shows(page, "markup is text", "#jobs tr", "markup");
	await page.locator("#jobs button", { hasText: "markup" }).click();
	await shows(page, "and stays text in a reason", "#job-tasks tr", "<img");
	check("and runs nothing", !(await page.evaluate(() => "owned" in window)), "it ran");
	await page.locator("#filter").fill("web");
	await page.locator("#jobs tr", { hasText: "markup" }).waitFor({ state: "detached", timeout: PATIENCE_MS })
		.then(() => check("the filter filters", true), () => check("the filter filters", false, "markup is there"));
	await page.locator("#filter").fill("");
	await page.evaluate(() => document.activeElement?.blur());
	await deed("submit");
	await shows(page, "a new job appears by itself", "#jobs tr", "late");
	await shows(page, "and among the events", "#events tr", "late");
	const hosts = [...new Set(asked.map((url) => new URL(url).host))];
	check("nobody else was asked", hosts.length === 1 && hosts[0] === new URL(page.url()).host, hosts.join());
	await deed("end");
	await shows(page, "a cell that is gone is told", "#link.bad", "no answer");
}

async function main() {
	const address = fs.readFileSync(path.join(folder, "address"), "utf8").trim();
	const browser = await chromium.launch({ executablePath: "/usr/bin/chromium",
		args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
	const asked = [], errors = [];
	const page = await browser.newPage({ viewport: { width: 1200, height: 760 } });

	page.on("request", (request) => { if (!request.url().startsWith("data:")) asked.push(request.url()); });
	page.on("pageerror", (error) => errors.push(error.message));
	try {
		await page.goto(new URL("/", address).href);
		await shows(page, "without a token: told", "#link.bad", "no valid token");
		await page.goto(address);
		await page.reload();
		check("the token does not stay in the address", !page.url().includes("#"), page.url());
		await look(page, asked);
		check("no error in the page", errors.length === 0, errors.join("; "));
	} finally {
		await browser.close();
	}
	process.exit(failed ? 1 : 0);
}

main().catch((error) => {
	console.log("FAIL the browser: " + String(error).split("\n")[0]);
	process.exit(1);
});
