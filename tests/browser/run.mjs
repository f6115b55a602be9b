// Signs in to the demo with a real browser, looks around, signs out.
// Usage: node run.mjs PATH-OF-PORTCULLIS. The browser is $CHROMIUM, or /usr/bin/chromium.

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

import { Outcomes, run } from "../outcomes.mjs";
import { Complaints } from "./complaints.mjs";
import { startDemo, stopDemo } from "./demo.mjs";

const SCREENSHOTS = fileURLToPath(new URL("screenshots/", import.meta.url));
const DOWNLOAD = "Quarterly report + übersicht.txt";
const DOWNLOAD_SOURCE = new URL(`../../deploy/sample-sites/spa/public/downloads/${encodeURIComponent(DOWNLOAD)}`, import.meta.url);
const DEEP_LINK = "/reports/?q=a%20b&x=1+2";
const TABS = 5;
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

class Visit {
  #outcomes = new Outcomes();
  #pictures = 0;

  constructor(demo, page, complaints) {
    Object.assign(this, { demo, page, complaints });
    this.user = demo.users[0];
  }

  /** One step: it fails by its own assertions, and by anything the browser complained about meanwhile. */
  async step(name, action) {
    const whole = async () => {
      await action();
      assert.deepEqual(this.complaints.take(), []);
    };
    await this.#outcomes.step(name, whole, async (error) => {
      this.complaints.take();
      await this.picture("failed").catch(() => {});
      return `at ${this.page.url()}\n${error.message}`;
    });
  }

  async picture(name) {
    this.#pictures += 1;
    const path = `${SCREENSHOTS}${String(this.#pictures).padStart(2, "0")}-${name}.png`;
    await this.page.screenshot({ path, fullPage: true });
  }

  /** The same page by night and on a phone. */
  async pictures(name) {
    await this.picture(name);
    await this.page.emulateMedia({ colorScheme: "dark" });
    await this.picture(`${name}-dark`);
    await this.page.emulateMedia({ colorScheme: "light" });
    const size = this.page.viewportSize();
    await this.page.setViewportSize({ width: 375, height: 720 });
    await this.picture(`${name}-phone`);
    assert.ok(await this.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} overflows a phone`);
    await this.page.setViewportSize(size);
  }

  async open(path) {
    await this.page.goto(this.demo.url.replace(/\/$/, "") + path);
  }

  async atHostedUi() {
    await this.page.waitForSelector('html[data-page="login"] form');
    const { port, pathname } = new URL(this.page.url());
    assert.equal(port, new URL(this.demo.idp).port, "not the identity provider");
    assert.equal(pathname, "/login");
  }

  async submit(password) {
    await this.page.getByLabel("User name").fill(this.user.username);
    await this.page.getByLabel("Password").fill(password);
    await this.page.getByRole("button", { name: "Sign in" }).click();
  }

  atSite(path) {
    assert.equal(this.page.url(), this.demo.url.replace(/\/$/, "") + path);
  }

  async tokenCookies() {
    const cookies = await this.page.context().cookies(this.demo.url);
    return cookies.filter(({ name, value }) => /Token$|LastAuthUser$/.test(name) && value !== "").map(({ name }) => name);
  }

  finish() {
    return this.#outcomes.finish();
  }
}

async function signIn(visit) {
  const { page, user } = visit;
  await visit.step("a deep link without a session leads to the hosted UI", async () => {
    await visit.open(DEEP_LINK);
    await visit.atHostedUi();
    await visit.pictures("sign-in");
  });
  await visit.step("a wrong password is told and signs nobody in", async () => {
    await visit.submit(`${user.password}!`);
    await page.getByRole("alert").getByText("Incorrect username or password.").waitFor();
    await visit.atHostedUi();
    assert.deepEqual(await visit.tokenCookies(), []);
    await visit.pictures("wrong-password");
  });
  await visit.step("the right password leads back to the deep link, its query byte for byte", async () => {
    await visit.submit(user.password);
    await page.waitForSelector("html[data-ready]");
    visit.atSite(DEEP_LINK);
    assert.equal(await page.locator("#query").textContent(), "?q=a%20b&x=1+2");
    assert.deepEqual(await page.locator("#parameters td").allTextContents(), ["q", "a b", "x", "1 2"]);
    await visit.pictures("reports");
  });
}

async function lookAround(visit) {
  const { page, user } = visit;
  await visit.step("the home page greets the user", async () => {
    await page.getByRole("link", { name: "Home" }).click();
    await page.getByRole("heading", { name: `Welcome, ${user.username}` }).waitFor();
    await page.waitForFunction(() => [...document.images].every((image) => image.complete && image.naturalWidth > 0));
    await visit.pictures("home");
  });
  await visit.step("the session view shows the user that AWS Amplify finds in the cookies", async () => {
    await page.getByRole("link", { name: "Session", exact: true }).click();
    assert.equal(await page.locator("#username").textContent(), user.username);
    assert.match(await page.locator("#email").textContent(), /@/);
    assert.match(await page.locator("#expiry").textContent(), /^valid for /);
    const claims = JSON.parse(await page.locator("#claims").textContent());
    assert.deepEqual([claims.token_use, claims["cognito:username"]], ["id", user.username]);
    const userData = JSON.parse(await page.locator("#user-data").textContent());
    assert.equal(userData.Username, user.username);
    if (claims["cognito:groups"]) {
      assert.deepEqual(await page.locator("#groups .chip").allTextContents(), claims["cognito:groups"]);
    }
    await visit.pictures("session");
  });
  await visit.step("a script's request is answered within the session", async () => {
    await page.getByRole("button", { name: "Fetch" }).click();
    await page.getByText("200: Gatehouse Quay, rising").waitFor();
  });
  await visit.step("the static page is served", async () => {
    await page.getByRole("link", { name: "Static page" }).click();
    await page.getByRole("heading", { name: "A page without a script" }).waitFor();
    visit.atSite("/static.html");
    await visit.pictures("static");
  });
  await visit.step("a download with spaces, plus and umlaut in its name arrives whole", async () => {
    await page.getByRole("link", { name: "Home", exact: true }).click();
    await page.getByRole("link", { name: "Files" }).click();
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator("#download").click()]);
    assert.equal(download.suggestedFilename().normalize(), DOWNLOAD);
    assert.equal(await readFile(await download.path(), "utf8"), await readFile(DOWNLOAD_SOURCE, "utf8"));
    await visit.pictures("files");
  });
  await visit.step("a reload stays signed in", async () => {
    await visit.open("/");
    await page.reload();
    await page.getByRole("heading", { name: `Welcome, ${user.username}` }).waitFor();
    visit.atSite("/");
  });
  await visit.step("a page that may not read the cookies says so politely", async () => {
    const other = await page.context().newPage();
    visit.complaints.watch(other);
    await other.addInitScript(() => Object.defineProperty(document, "cookie", { get: () => "" }));
    await other.goto(`${visit.demo.url.replace(/\/$/, "")}/#/session`);
    await other.getByRole("status").getByText("HttpOnly").waitFor();
    assert.ok(await other.locator("#session").isHidden());
    await other.close();
  });
  await visit.step("when its token has run out, the page asks the site, not Cognito, and then says so", async () => {
    const other = await page.context().newPage();
    visit.complaints.watch(other);
    const asked = [];
    other.on("request", (request) => asked.push(`${request.method()} ${new URL(request.url()).host}`));
    await other.clock.install();
    await other.goto(`${visit.demo.url.replace(/\/$/, "")}/#/session`);
    await other.getByText("valid for ").waitFor();
    await other.clock.fastForward("25:00:00");
    await other.getByRole("status").getByText("Your session has ended").waitFor();
    assert.match(await other.locator("#expiry").textContent(), /^expired at /);
    const site = new URL(visit.demo.url).host;
    assert.ok(asked.includes(`HEAD ${site}`), "no renewal tried");
    assert.deepEqual(asked.filter((one) => !one.endsWith(` ${site}`)), []);
    await other.close();
  });
}

async function signOut(visit) {
  const { page } = visit;
  await visit.step("signing out removes the session", async () => {
    await page.getByRole("link", { name: "Sign out" }).click();
    await page.waitForURL((url) => !url.pathname.startsWith("/signout") && !url.pathname.startsWith("/logout"));
    await page.waitForLoadState();
    assert.deepEqual(await visit.tokenCookies(), []);
    await visit.picture("signed-out");
  });
  await visit.step("a protected page asks to sign in again", async () => {
    await visit.open("/static.html");
    await visit.atHostedUi();
    assert.equal(await page.getByLabel("Password").inputValue(), "");
  });
  await visit.step("signing in again leads to the page asked for", async () => {
    await visit.submit(visit.user.password);
    await page.getByRole("heading", { name: "A page without a script" }).waitFor();
    visit.atSite("/static.html");
  });
}

/** Tabs that a browser opens at once, as it does when it comes back from a crash: none knows of the others. */
async function severalTabs(visit, context) {
  // The provider's own form is safe against forgery by a cookie, which its tabs have to share.
  const first = await context.newPage();
  await first.goto(visit.demo.url);
  await first.close();
  await context.clearCookies({ name: /portcullis/ });
  const pages = await Promise.all(Array.from({ length: TABS }, () => context.newPage()));
  const target = (tab) => `${visit.demo.url.replace(/\/$/, "")}/reports/?tab=${tab}&x=a%20b+c`;
  await visit.step(`${TABS} tabs at once all end signed in, each at its own deep link`, async () => {
    for (const page of pages) {
      page.setDefaultTimeout(30_000);
      visit.complaints.watch(page);
    }
    await Promise.all(pages.map((page, tab) => page.goto(target(tab))));
    for (const page of pages) await page.waitForSelector('html[data-page="login"] form');
    for (const page of pages) {
      await page.getByLabel("User name").fill(visit.user.username);
      await page.getByLabel("Password").fill(visit.user.password);
    }
    await Promise.all(pages.map((page) => page.getByRole("button", { name: "Sign in" }).click()));
    await Promise.all(pages.map((page) => page.waitForSelector("html[data-ready]")));
    assert.deepEqual(pages.map((page) => page.url()), pages.map((_, tab) => target(tab)));
    const left = (await context.cookies(visit.demo.url)).filter(({ name }) => name.includes("portcullis-attempt"));
    assert.deepEqual(left.map(({ name }) => name), []);
  });
  await Promise.all(pages.map((page) => page.close()));
}

/** Our own pages, in the viewer's language, under their strict policy: by day, by night, and on a phone. */
async function ownPages(visit, browser) {
  for (const [locale, title] of [["en-GB", "Sign-in did not work"], ["de-DE", "Anmeldung nicht gelungen"]]) {
    const context = await browser.newContext({ locale, viewport: { width: 1100, height: 760 } });
    const page = await context.newPage();
    const before = visit.page;
    visit.page = page;
    await visit.step(`a callback that cannot be is told in the language of ${locale}`, async () => {
      visit.complaints.watch(page);
      const answer = await page.goto(`${visit.demo.url.replace(/\/$/, "")}/parseauth?code=c&state=a&state=b`);
      assert.equal(answer.status(), 400);
      await page.getByRole("heading", { name: title }).waitFor();
      assert.notEqual(await page.locator("main").evaluate((main) => getComputedStyle(main).borderRadius), "0px", "no style");
      await page.locator("summary").click();
      await page.getByText("callback-invalid").waitFor();
      await visit.pictures(`own-page-${locale}`);
      // The status is the point; nothing else may be said, as by the policy.
      assert.deepEqual(visit.complaints.take().filter((complaint) => !/\b400\b/.test(complaint)), []);
    });
    visit.page = before;
    await context.close();
  }
}

async function main(program) {
  await mkdir(SCREENSHOTS, { recursive: true });
  const demo = await startDemo(program);
  let visit;
  try {
    const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
    const browser = await chromium.launch({ executablePath, args: FLAGS });
    try {
      const viewport = { width: 1100, height: 760 };
      const context = await browser.newContext({ locale: "en-GB", colorScheme: "light", viewport });
      const page = await context.newPage();
      page.setDefaultTimeout(15_000);
      const complaints = new Complaints();
      complaints.watch(page);
      visit = new Visit(demo, page, complaints);
      await signIn(visit);
      await lookAround(visit);
      await signOut(visit);
      const freshly = await browser.newContext({ locale: "en-GB", viewport });
      await severalTabs(visit, freshly);
      await freshly.close();
      await ownPages(visit, browser);
      await visit.step("the demo stops cleanly at Ctrl-C", async () => {
        await page.close();
        assert.equal(await stopDemo(demo), 0);
      });
    } finally {
      await browser.close();
    }
  } finally {
    await stopDemo(demo);
  }
  return visit.finish();
}

await run(main);
