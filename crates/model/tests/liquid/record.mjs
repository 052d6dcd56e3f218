// Records what the reference implementation prints for every case of corpus.json.
//
// The judge is the npm package liquidjs, version 10.30.1, with its default options and the
// time zone UTC. Install it outside of the repository and run this from there:
//
//   mkdir /tmp/judge && cd /tmp/judge && npm init -y && npm install liquidjs@10.30.1
//   TZ=UTC NODE_PATH=/tmp/judge/node_modules node <repository>/crates/model/tests/liquid/record.mjs
//
// It writes `expected` into each case and touches nothing else. Where ours differs for a
// reason, the case holds `ours` and `why` as well; those are written by hand.

import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";

process.env.TZ = "UTC";
const { Liquid } = createRequire(process.cwd() + "/")("liquidjs");
const file = new URL("corpus.json", import.meta.url);
const corpus = JSON.parse(readFileSync(file, "utf8"));

for (const one of corpus.cases) {
  const engine = new Liquid();
  try {
    one.expected = await engine.parseAndRender(one.template, structuredClone(one.context ?? corpus.context));
  } catch (error) {
    one.expected = null;
    one.refused = String(error.message).split("\n")[0];
  }
}

writeFileSync(file, JSON.stringify(corpus, null, 1) + "\n");
