import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSender, inLanes, misshapen, recordedExamples } from "../kit/bot/github-corpus.ts";
import type { Example } from "../kit/bot/github-corpus.ts";
import { openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { memoryOf } from "../kit/process.ts";

const LANES = 16;

let house: GitHubHouse;
let sender: ReturnType<typeof createSender>;
let examples: Example[];
let heard: Set<string>;
let unexpected: { event: string; status: number }[];
beforeAll(async () => {
  examples = await recordedExamples();
  house = await openGitHubHouse({
    env: { CLAUDE_HUB_AUTH_FAILURES_PER_ADDRESS: "1000000", LOG_LEVEL: "warn" },
  });
  sender = createSender(house);
  const answers = await inLanes(examples, LANES, async ({ event, payload }) => ({
    event,
    ...(await sender.send(event, payload)),
  }));
  heard = new Set(answers.filter(({ status }) => status === 200).map(({ event }) => event));
  unexpected = answers.filter(({ status }) => status !== 200 && status !== 404);
});
afterAll(async () => {
  await sender[Symbol.asyncDispose]();
  await house[Symbol.asyncDispose]();
});

/** Each delivery has come to an end that says why, and nobody was asked for work. */
async function demandQuiet(): Promise<void> {
  const outcomes = await sender.outcomes();
  const strange = outcomes.filter(
    ({ state, outcome }) =>
      (state !== "ignored" && state !== "done") || outcome === null || outcome === "",
  );
  expect(strange).toEqual([]);
  expect(await sender.sessions()).toBe(0);
}

/** As if it were about our repository, where the App is installed. */
function atHome({ event, payload }: Example): Example {
  const { id } = house.repository.state;
  const repository = payload["repository"];
  if (typeof repository !== "object" || repository === null) return { event, payload };
  return {
    event,
    payload: { ...payload, repository: { ...repository, id, full_name: REPOSITORY } },
  };
}

test("every example that GitHub gives is answered, stored once, and ends with a reason", async () => {
  expect(examples).toHaveLength(329);
  expect(unexpected).toEqual([]);
  expect([...heard]).toEqual(
    expect.arrayContaining(["issues", "issue_comment", "pull_request", "check_suite", "ping"]),
  );
  const known = examples.filter(({ event }) => heard.has(event)).map(atHome);
  const first = await inLanes(known, LANES, ({ event, payload }) => sender.send(event, payload));
  const before = (await sender.outcomes()).length;
  const again = await inLanes(known, LANES, ({ event, payload }) =>
    sender.send(event, payload, {
      id: first[known.findIndex((one) => one.payload === payload)]?.id ?? "",
    }),
  );
  expect(new Set([...first, ...again].map(({ status }) => status))).toEqual(new Set([200]));
  expect(await sender.outcomes()).toHaveLength(before);
  await demandQuiet();
});

test("without the right signature nothing is taken", async () => {
  const before = (await sender.outcomes()).length;
  const answers = await inLanes(examples, LANES, async ({ event, payload }) => [
    await sender.send(event, payload, { signed: false }),
    await sender.send(event, payload, { signed: null }),
  ]);
  expect(new Set(answers.flat().map(({ status }) => status))).toEqual(new Set([401]));
  expect(await sender.outcomes()).toHaveLength(before);
});

test("every field of every delivery may be missing, nulled, of another type or huge, and breaks nothing", async () => {
  const all = misshapen(examples.filter(({ event }) => heard.has(event)).map(atHome));
  expect(all.length).toBeGreaterThan(2_500);
  const answers = await inLanes(all, LANES, ({ event, payload }) => sender.send(event, payload));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  await demandQuiet();
}, 500_000);

const GARBAGE: Record<string, Buffer> = {
  empty: Buffer.from(""),
  "no JSON": Buffer.from("<html>"),
  "half of it": Buffer.from('{"action":"opened","issue":{'),
  "no object": Buffer.from("[1,2,3]"),
  null: Buffer.from("null"),
  "no UTF-8": Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  "packed by gzip": gzipSync('{"action":"opened"}'),
  "nested 100,000 deep": Buffer.from(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`),
  "objects nested deep": Buffer.from(`${'{"issue":'.repeat(20_000)}1${"}".repeat(20_000)}`),
  "the same key twice": Buffer.from('{"action":"opened","action":"closed","action":{"a":1}}'),
  "keys of prototypes": Buffer.from(
    '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"issue":{"__proto__":{"number":1}}}',
  ),
  "huge numbers": Buffer.from(
    '{"repository":{"id":1e400,"full_name":"octo/greeter"},"issue":{"number":99999999999999999999},"sender":{"id":-1e308,"login":"x","type":"User"},"comment":{"id":9007199254740993}}',
  ),
  "numbers that are none": Buffer.from(
    '{"repository":{"id":1.5,"full_name":"octo/greeter"},"issue":{"number":-0},"sender":{"id":"1","login":["x"],"type":7}}',
  ),
  NUL: Buffer.from(
    '{"action":"\\u0000","repository":{"id":1,"full_name":"octo/\\u0000"},"sender":{"id":1,"login":"\\u0000","type":"User"}}',
  ),
  "half a surrogate": Buffer.from(
    '{"action":"\\ud800","sender":{"id":1,"login":"\\udfff","type":"User"},"repository":{"id":1,"full_name":"octo/greeter"},"issue":{"number":1}}',
  ),
};

test.each(Object.entries(GARBAGE))(
  "a signed body of the kind %j breaks nothing",
  async (_, body) => {
    for (const headers of [{}, { "content-encoding": "gzip" }, { "content-type": "text/plain" }]) {
      const { status } = await sender.send("issue_comment", body, { headers });
      expect([200, 400, 401, 415]).toContain(status);
    }
    await demandQuiet();
  },
);

test("headers that GitHub would not send are refused", async () => {
  const [example] = examples.filter(({ event }) => event === "issues").map(atHome);
  const payload = example?.payload ?? {};
  const odd: [string, Record<string, string>][] = [
    ["issues", { "x-github-delivery": "../../etc" }],
    ["issues", { "x-github-delivery": "x".repeat(101) }],
    ["__proto__", {}],
    ["constructor", {}],
    ["ISSUES", {}],
    ["issues", { "content-type": "application/x-www-form-urlencoded" }],
    ["issues", { "x-hub-signature-256": "sha256=" }],
    ["issues", { "x-hub-signature-256": "sha1=da39a3ee5e6b4b0d3255bfef95601890afd80709" }],
    ["issues", { "x-hub-signature-256": "x".repeat(10_000) }],
  ];
  for (const [event, headers] of odd) {
    const { status } = await sender.send(event, payload, { headers });
    expect([400, 401, 404]).toContain(status);
  }
});

test("the largest delivery that GitHub sends is taken, a larger one refused, and neither stays in memory", async () => {
  const limit = 25 * 1024 * 1024;
  const [example] = examples.filter(({ event }) => event === "issue_comment").map(atHome);
  const padded = (bytes: number) => {
    const text = JSON.stringify({ ...example?.payload, pad: "" });
    return Buffer.from(`${text.slice(0, -2)}${"x".repeat(bytes - text.length)}"}`);
  };
  const largest = padded(limit);
  expect(largest).toHaveLength(limit);
  expect((await sender.send("issue_comment", largest)).status).toBe(200);
  expect((await sender.send("issue_comment", padded(limit + 1))).status).toBe(413);
  await demandQuiet();
  await inLanes(Array.from({ length: 12 }), 4, () =>
    sender.send("issue_comment", largest, { signed: false }),
  );
  expect(memoryOf(house.hub.pid)).toBeLessThan(1_000_000_000);
  expect((await sender.send("ping", { zen: "Still here." })).status).toBe(200);
}, 120_000);
