// A server in a folder of its own on loopback, with campaigns, a mailbox, and events that
// come in as PostHog would send them.
import { spawn } from "node:child_process";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openMailbox } from "./mailbox.mjs";

const SECRET = "a secret that only PostHog knows";
const STARTS_WITHIN = 30_000;

const WELCOME = `name: Welcome
trigger: { event: signed_up }
entry: once
goal: { event: first_project_created, within: 7d }
exit_on: [ { event: account_deleted } ]
steps:
  - email: { template: welcome, topic: receipts }
  - wait_for: { event: first_project_created, timeout: 2d }
    then: [ { set_attribute: { activated: true } }, { exit: activated } ]
  - branch:
      - when: [ { key: plan, operator: exact, value: pro, type: contact } ]
        steps: [ { email: { template: welcome, topic: receipts } }, { wait: 3d } ]
      - when: [ { key: plan, operator: exact, value: team, type: contact } ]
        steps: [ { wait: 1d }, { webhook: { method: POST, url: "https://hooks.example.com/team", body: "{}" } } ]
    else: [ { set_attribute: { nudged: true } } ]
  - split:
      variants:
        - { name: short, weight: 50, steps: [ { wait: 1d } ] }
        - { name: long, weight: 50, steps: [ { wait: 5d }, { email: { template: welcome, topic: receipts } } ] }
  - exit: done
`;

const RECOVERY = `name: Checkout recovery
goal: { event: checkout_completed, within: 3d }
trigger:
  event: checkout_started
  where: [ { key: cart_value, operator: gt, value: 50, type: event } ]
entry: { once_per: 7d, max_age: 1h }
exit_on: [ { event: checkout_completed, match: { order_id: trigger.order_id } } ]
steps:
  - wait_for: { event: checkout_completed, match: { order_id: trigger.order_id }, timeout: 24h }
    then: [ { exit: bought } ]
  - email: { template: welcome, topic: receipts }
`;

const TEMPLATE = `---
subject: "Welcome, {{ contact.name | default: 'friend' }}"
---
# Hello {{ contact.name | default: 'friend' }}

Good to have you on **{{ contact.plan | default: 'our free plan' }}**.

[Make your first project](https://app.example.com/start?x=1&y=2)

[Unsubscribe]({{ unsubscribe_url }})
`;

const settings = (port) => `database: sqlite:data/hogwire.db
connectors:
  posthog: { enabled: true, host: "http://127.0.0.1:9", opt_out_property: unsubscribed }
senders:
  default: { smtp: "smtp://127.0.0.1:${port}", from: "Acme <hello@acme.example>" }
domains:
  acme.example: { verify: false }
topics:
  receipts: { kind: transactional, title: Receipts }
`;

function project(folder, port) {
  const files = {
    "hogwire.yaml": settings(port),
    "campaigns/welcome.yaml": `status: active\n${WELCOME}`,
    "campaigns/checkout-recovery.yaml": RECOVERY,
    "templates/welcome.md": TEMPLATE,
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/// What the server says of itself once it listens: one JSON document.
function greeting(child) {
  return new Promise((told, failed) => {
    let output = "";
    const late = setTimeout(() => failed(new Error(`the server did not start: ${output}`)), STARTS_WITHIN);
    child.stdout.on("data", (bytes) => {
      output += bytes;
      try {
        const document = JSON.parse(output);
        clearTimeout(late);
        told(document);
      } catch {
        // It is not whole yet.
      }
    });
    child.on("exit", (code) => {
      clearTimeout(late);
      failed(new Error(`the server ended with ${code}: ${output}`));
    });
  });
}

export async function openWorld(binary) {
  const mailbox = await openMailbox();
  const folder = mkdtempSync(join(tmpdir(), "hogwire-browser-"));
  project(folder, mailbox.port);
  const child = spawn(binary, ["serve", "--json", "--dir", folder], {
    env: { PATH: process.env.PATH, HOGWIRE_BIND: "127.0.0.1:0", POSTHOG_WEBHOOK_SECRET: SECRET, HOGWIRE_LOG: "warn" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const told = await greeting(child);
  const url = `http://${told.address}`;
  return {
    url,
    signIn: told.sign_in,
    mails: mailbox.mails,
    folder,
    async post(body, secret = SECRET) {
      return fetch(`${url}/v1/webhooks/posthog`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-posthog-webhook-secret": secret },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
    },
    event(name, who, properties = {}, person = {}) {
      const [uuid, timestamp] = [crypto.randomUUID(), new Date().toISOString()];
      const event = { uuid, event: name, distinct_id: who, timestamp, properties, url: "", elements_chain: "" };
      return { event, person: { id: uuidOf(who), name: person.name ?? who, properties: person } };
    },
    close() {
      mailbox.close();
      child.removeAllListeners("exit");
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      return ended.finally(() => rmSync(folder, { recursive: true, force: true }));
    },
  };
}

/// The same id for the same person.
function uuidOf(who) {
  let hash = 0n;
  for (const byte of Buffer.from(who)) hash = (hash * 257n + BigInt(byte)) % (1n << 64n);
  const hex = hash.toString(16).padStart(32, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}
