// The console in a real browser: signing in, the event log live, campaigns, messages,
// keys, a phone's width. Started by `cargo x test`, which brings the browser and the binary.
// Prints `N passed, N failed`, and ends with 1 where one failed.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { openWorld } from "./world.mjs";

const tools = process.env.HOGWIRE_BROWSER_TOOLS;
const binary = process.env.HOGWIRE_TEST_BINARY;
const chromium = process.env.HOGWIRE_TEST_CHROMIUM ?? "/usr/bin/chromium";
if (!tools || !binary) {
  console.error("HOGWIRE_BROWSER_TOOLS and HOGWIRE_TEST_BINARY are not set; `cargo x test` sets them");
  process.exit(2);
}
const driver = createRequire(`${tools}/`)("playwright-core").chromium;
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const WITHIN = 15_000;

const stories = [];
const story = (name, tell) => stories.push({ name, tell });

/// A page of somebody who is signed in. What the browser complains about is a failure.
async function visit(browser, world, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(WITHIN);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (said) => {
    if (said.type() === "error" && /Content.Security|Refused to/i.test(said.text())) complaints.push(said.text());
  });
  await page.goto(`${world.url}/console`);
  await page.getByLabel("Address").fill(world.signIn.email);
  await page.getByLabel("Password").fill(world.signIn.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  return { page, context, complaints };
}

story("a stranger is asked to sign in, and a wrong password says so", async ({ browser, world }) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${world.url}/console/campaigns`);
  assert.match(page.url(), /\/console\/sign-in/);
  await page.getByLabel("Address").fill(world.signIn.email);
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Password").fill(world.signIn.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Campaigns" }).waitFor();
  const cookie = (await context.cookies()).find((one) => one.name === "hogwire_session");
  assert.ok(cookie.httpOnly && cookie.sameSite === "Lax", "the session's cookie is guarded");
  await context.close();
});

story("an event shows up in the log by itself, with its payload and what it led to", async ({ page, world }) => {
  await page.goto(`${world.url}/console/events`);
  const answer = await world.post(world.event("signed_up", "live-1", { source: "a test" }, { email: "live@example.com" }));
  assert.equal(answer.status, 202);
  const began = Date.now();
  await page.getByRole("link", { name: "live@example.com" }).first().waitFor();
  assert.ok(Date.now() - began < 5_000, "it took too long to show up");
  await page.locator("tr", { hasText: "live@example.com" }).getByRole("link", { name: "signed_up" }).first().click();
  await page.getByRole("heading", { name: "signed_up" }).waitFor();
  assert.match(await page.locator("#raw").innerText(), /"source": "a test"/);
  await page.getByText("Entered Welcome.").waitFor();
});

story("the log is searched as one types, by any id", async ({ page, world }) => {
  await world.post(world.event("$pageview", "needle-7", {}, { email: "needle@example.com" }));
  await page.goto(`${world.url}/console/events`);
  await page.getByRole("link", { name: "needle@example.com" }).first().waitFor();
  await page.getByLabel("Contact or any id").fill("needle-7");
  await page.waitForURL(/who=needle-7/);
  await page.waitForFunction(() => document.querySelectorAll("#log tbody tr").length === 1);
  await page.getByLabel("Contact or any id").fill("nobody at all");
  await page.getByText("No event here yet").waitFor();
});

story("a wrong secret is seen among the refused deliveries", async ({ page, world }) => {
  assert.equal((await world.post(world.event("signed_up", "x"), "wrong")).status, 401);
  await page.goto(`${world.url}/console/events/refused`);
  await page.getByText("bad_secret").first().waitFor();
});

story("a campaign is drawn and counted, and says why somebody got its mail", async ({ page, world }) => {
  await page.goto(`${world.url}/console/campaigns`);
  await page.getByRole("link", { name: "Welcome" }).click();
  await page.locator("svg.graph text", { hasText: "Email welcome" }).first().waitFor();
  await page.getByLabel("Address or id of a contact").fill("live@example.com");
  await page.getByRole("button", { name: "Explain" }).click();
  await page.getByText("Entered Welcome.").waitFor();
  await page.getByText("Sent the email").waitFor();
});

story("a step of the drawing shows who stands there", async ({ page, world }) => {
  await page.goto(`${world.url}/console/campaigns/welcome`);
  await page.locator("svg.graph a[href$='/steps/1']").click();
  await page.getByRole("link", { name: "live@example.com" }).waitFor();
});

story("a draft is activated, paused and resumed", async ({ page, world }) => {
  const badge = page.locator(".head .badge");
  await page.goto(`${world.url}/console/campaigns/checkout-recovery`);
  assert.equal(await badge.innerText(), "draft");
  await page.getByRole("button", { name: "Activate" }).click();
  await page.getByText("The campaign is active").waitFor();
  assert.equal(await badge.innerText(), "active");
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByText("The campaign is active").waitFor();
});

story("a form without the session's token changes nothing", async ({ page, world }) => {
  const status = await page.evaluate(async () => {
    const body = new URLSearchParams({ status: "archived", csrf: "made up" });
    return (await fetch("/console/campaigns/welcome/status", { method: "POST", body })).status;
  });
  assert.equal(status, 403);
  await page.goto(`${world.url}/console/campaigns/welcome`);
  assert.equal(await page.locator(".head .badge").innerText(), "active");
});

story("a message is shown as it was sent, and looking at it opens nothing", async ({ page, world }) => {
  await page.goto(`${world.url}/console/messages?who=live%40example.com`);
  await page.getByRole("link", { name: /Welcome/ }).first().click();
  const frame = page.frameLocator("iframe.letter");
  await frame.getByText("Good to have you").waitFor();
  assert.equal(await frame.getByRole("link", { name: "Make your first project" }).getAttribute("href"),
    "https://app.example.com/start?x=1&y=2");
  await page.reload();
  await frame.getByText("Good to have you").waitFor();
  assert.equal(await page.locator("dt:text-is('Opened') + dd").innerText(), "–");
});

story("a message that nobody knows the end of is settled by hand", async ({ page, world }) => {
  await world.post(world.event("signed_up", "drop-1", {}, { email: "drop@example.com" }));
  await page.goto(`${world.url}/console/messages?status=unknown`);
  await page.locator("tr", { hasText: "drop@example.com" }).getByRole("link").first().click();
  await page.getByRole("button", { name: "It was sent" }).click();
  await page.getByText("Settled.").waitFor();
  assert.equal(await page.locator(".head .badge").innerText(), "sent");
});

story("another mapping is tried on what has arrived, and saved", async ({ page, world }) => {
  await world.post(world.event("signed_up", "fields-1", { work: "work@example.com" }));
  await page.goto(`${world.url}/console/connections/posthog`);
  await page.getByRole("link", { name: /Which fields/ }).click();
  const text = page.getByLabel("As JSON");
  const held = JSON.parse(await text.inputValue());
  await text.fill("{ not JSON");
  await page.getByRole("button", { name: "Try on the newest events" }).click();
  await page.getByText("This is not a mapping").waitFor();
  assert.equal(await text.inputValue(), "{ not JSON", "what was typed stays");
  await text.fill(JSON.stringify({ ...held, address: [...held.address, "properties.work"] }));
  await page.getByRole("button", { name: "Try on the newest events" }).click();
  await page.locator("td", { hasText: "work@example.com" }).waitFor();
  await page.getByRole("button", { name: "Save as a new version" }).click();
  await page.getByText("A new version is in force").waitFor();
  await page.getByText(/^Version 1 ·/).waitFor();
});

story("a sending domain gets keys, and its page says what to publish", async ({ page, world }) => {
  await page.goto(`${world.url}/console/domains`);
  await page.getByLabel("Another domain").fill("News.Acme.example");
  await page.getByRole("button", { name: "Make its keys" }).click();
  await page.getByRole("heading", { name: "news.acme.example" }).waitFor();
  assert.match(await page.getByLabel("Value").first().inputValue(), /^v=DKIM1; k=rsa; p=MII/);
  await page.getByRole("button", { name: "Ask DNS now" }).click();
  await page.getByText("DNS was asked just now.").waitFor();
  page.once("dialog", (dialog) => dialog.accept());
  await page.getByRole("button", { name: "Drop this domain" }).click();
  await page.getByText("The domain and its keys are gone.").waitFor();
});

story("the red button stops all mail until it goes on", async ({ page, world }) => {
  await page.goto(`${world.url}/console/health`);
  page.once("dialog", (dialog) => dialog.accept());
  await page.getByRole("button", { name: "Pause all mail" }).click();
  await page.getByText("All mail is paused").first().waitFor();
  const before = world.mails.length;
  await world.post(world.event("signed_up", "paused-1", {}, { email: "paused@example.com" }));
  await page.goto(`${world.url}/console/messages?who=paused%40example.com`);
  await page.locator("tbody tr").first().waitFor();
  assert.equal(world.mails.length, before, "nothing goes out while all is paused");
  await page.goto(`${world.url}/console/health`);
  await page.getByRole("button", { name: "Resume all mail" }).click();
  await page.getByText("It goes on.").waitFor();
  await page.goto(`${world.url}/console/messages?who=paused%40example.com`);
  await page.locator("tbody .badge", { hasText: "sent" }).waitFor();
});

story("the overview counts live", async ({ page, world }) => {
  await page.goto(`${world.url}/console`);
  const total = page.locator("#now .figure b").first();
  const before = Number((await total.innerText()).replace(/\D/g, ""));
  await world.post(world.event("$pageview", "live-1", {}, { email: "live@example.com" }));
  await page.waitForFunction((n) => Number(document.querySelector("#now .figure b").innerText.replace(/\D/g, "")) > n, before);
});

story("keys lead everywhere", async ({ page, world }) => {
  await page.goto(`${world.url}/console`);
  await page.keyboard.press("g");
  await page.keyboard.press("e");
  await page.getByRole("heading", { name: "Events", exact: true }).waitFor();
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.name), "who");
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  assert.ok(await page.evaluate(() => document.activeElement.classList.contains("row-link")));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "As it came" }).waitFor();
});

story("every page fits a phone, in light and in dark", async ({ browser, world }) => {
  for (const colorScheme of ["light", "dark"]) {
    const { page, context, complaints } = await visit(browser, world, { viewport: { width: 390, height: 844 }, colorScheme });
    const pages = ["", "/events", "/events/refused", "/events/set-aside", "/contacts", "/contacts/email:live@example.com",
      "/campaigns", "/campaigns/welcome", "/campaigns/welcome/explain?contact=live@example.com", "/messages", "/health", "/access", "/suppressions", "/templates",
      "/connections/posthog",
      "/connections/posthog/mapping"];
    for (const path of pages) {
      const answer = await page.goto(`${world.url}/console${path}`);
      assert.equal(answer.status(), 200, path);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(over <= 0, `${path} is ${over} px wider than a phone`);
    }
    assert.deepEqual(complaints, []);
    await context.close();
  }
});

story("a viewer is added, looks, and changes nothing", async ({ browser, page, world }) => {
  await page.goto(`${world.url}/console/access`);
  await page.getByLabel("Address").fill("looker@example.com");
  await page.getByRole("button", { name: "Add" }).click();
  const password = await page.locator("#once").innerText();
  const looker = { ...world, signIn: { email: "looker@example.com", password } };
  const visitor = await visit(browser, looker);
  await visitor.page.goto(`${world.url}/console/campaigns/welcome`);
  await visitor.page.locator("svg.graph").waitFor();
  assert.equal(await visitor.page.getByRole("button", { name: "Pause" }).count(), 0);
  await visitor.page.goto(`${world.url}/console/connections/posthog`);
  assert.equal(await visitor.page.locator("#url").count(), 0, "the webhook's URL is for admins");
  for (const [present, said] of [["not it at all", "The present password is another one."], [password, "Sign in"]]) {
    await visitor.page.goto(`${world.url}/console/access`);
    await visitor.page.getByLabel("Present password").fill(present);
    await visitor.page.getByLabel("New password").fill("a better password");
    await visitor.page.getByRole("button", { name: "Change" }).click();
    await visitor.page.getByText(said).first().waitFor();
  }
  await visitor.context.close();
});

story("a key is made in the console, opens the API, and is revoked", async ({ page, world }) => {
  await page.goto(`${world.url}/console/access`);
  await page.getByLabel("What it is for").fill("a script");
  await page.getByRole("button", { name: "Make" }).click();
  const key = await page.locator("#once").innerText();
  const ask = () => fetch(`${world.url}/v1/events?limit=1`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal((await ask()).status, 200);
  page.once("dialog", (dialog) => dialog.accept());
  await page.getByRole("button", { name: "Revoke" }).click();
  await page.getByText("The key is revoked.").waitFor();
  assert.equal((await ask()).status, 401);
});

story("a template is seen as one contact would", async ({ page, world }) => {
  await page.goto(`${world.url}/console/templates/welcome?contact=live%40example.com`);
  await page.frameLocator("iframe.letter").getByText("Good to have you").waitFor();
});

story("signing out ends the session", async ({ browser, world }) => {
  const { page, context } = await visit(browser, world);
  const [session] = (await context.cookies()).filter((one) => one.name === "hogwire_session");
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await context.addCookies([session]);
  await page.goto(`${world.url}/console/events`);
  assert.match(page.url(), /sign-in/);
  await context.close();
});

const limit = setTimeout(() => {
  console.error("the browser's tests took more than four minutes");
  process.exit(1);
}, 240_000);
const world = await openWorld(binary);
const browser = await driver.launch({ executablePath: chromium, headless: true, args: FLAGS });
let [passed, failed] = [0, 0];
try {
  const { page, complaints } = await visit(browser, world);
  for (const { name, tell } of stories) {
    try {
      await tell({ browser, page, world });
      assert.deepEqual(complaints.splice(0), [], "the browser complained");
      passed += 1;
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${error.stack}`);
    }
  }
} finally {
  await browser.close();
  await world.close();
  clearTimeout(limit);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
