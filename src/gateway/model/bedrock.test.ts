import { expect, test } from "vitest";
import { createBedrockStandIn } from "../../../test/kit/model/bedrock.ts";
import { KEY, createModelDoorHouse, createUpstream } from "../../../test/kit/model/model-door.ts";
import { createScriptedModel } from "../../../test/kit/model/scripted-model.ts";
import type { ScenarioInput } from "../../../test/kit/model/scenario.ts";
import { createKeptCredentials } from "./aws-credentials.ts";
import { createBedrock } from "./bedrock.ts";

const MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0";
const REGION = "eu-west-1";
const OLD = { accessKeyId: "AKIAOLD", secretAccessKey: "old/secret+", sessionToken: "old-token" };
const NEW = { accessKeyId: "AKIANEW", secretAccessKey: "new/secret+", sessionToken: "new-token" };
const usage = { inputTokens: 100, outputTokens: 20, cacheReadTokens: 1_000, cacheWriteTokens: 10 };
const ask = (more: Record<string, unknown> = {}) => ({
  anthropic_version: "bedrock-2023-05-31",
  anthropic_beta: ["interleaved-thinking-2025-05-14"],
  max_tokens: 1_000,
  messages: [{ role: "user", content: "hello" }],
  ...more,
});

async function openHouse(
  options: {
    step?: ScenarioInput["conversations"][number]["steps"][number];
    models?: string[];
    maxTokens?: number;
  } = {},
) {
  await using parts = new AsyncDisposableStack();
  const step = options.step ?? { text: "Grüße from Bedrock.", usage };
  const scenario = { conversations: [{ match: "hello", steps: [step] }] };
  const model = parts.use(await createScriptedModel({ scenario, apiKey: KEY }));
  const bedrock = parts.use(
    await createBedrockStandIn({ model, apiKey: KEY, account: OLD, region: REGION }),
  );
  let found = OLD;
  const upstream = createBedrock({
    baseUrl: bedrock.url,
    region: REGION,
    models: options.models ?? [],
    bearerToken: null,
    credentials: createKeptCredentials(() => Promise.resolve(found)),
  });
  const door = parts.use(await createModelDoorHouse(upstream, options));
  const all = parts.move();
  return {
    bedrock,
    model,
    door,
    rotate: () => (found = NEW),
    invoke: (body: unknown, { verb = "invoke", name = MODEL } = {}) =>
      door.post(body, { path: `/model/model/${encodeURIComponent(name)}/${verb}` }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
const STREAM = { verb: "invoke-with-response-stream" };

test("signs both calls, passes the answer through and counts it", async () => {
  await using house = await openHouse();
  const whole = await house.invoke(ask());
  expect(whole.status).toBe(200);
  expect(await whole.text()).toContain("Grüße from Bedrock.");
  const stream = await house.invoke(ask(), STREAM);
  expect(stream.headers.get("content-type")).toBe("application/vnd.amazon.eventstream");
  const frames = Buffer.from(await stream.arrayBuffer()).toString("latin1");
  expect(frames.match(/:message-type/g)?.length).toBeGreaterThan(5);
  await house.door.settled(2);
  const costUsd = (100 * 3 + 20 * 15 + 1_000 * 0.3 + 10 * 3.75) / 1_000_000;
  for (const one of house.door.recorded)
    expect(one).toEqual({ ...usage, modelCalls: 1, costUsd: expect.closeTo(costUsd, 9) });
  expect(house.door.calls.map(({ model }) => model)).toEqual([MODEL, MODEL]);
  expect(house.bedrock.refused).toEqual([]);
  expect(house.bedrock.served[0]).toBe(`/model/${encodeURIComponent(MODEL)}/invoke`);
});

test("inference profiles are addressed by their whole name", async () => {
  const arn = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2c3";
  await using house = await openHouse({ models: [arn] });
  const answered = await house.invoke(ask(), { name: arn });
  expect([answered.status, house.bedrock.refused]).toEqual([200, []]);
});

test("credentials that have expired are fetched anew, once", async () => {
  await using house = await openHouse();
  expect((await house.invoke(ask())).status).toBe(200);
  house.bedrock.setAccount(NEW);
  house.rotate();
  const renewed = await house.invoke(ask(), STREAM);
  expect(renewed.status).toBe(200);
  await renewed.arrayBuffer();
  expect(house.bedrock.refused).toEqual(["expired token"]);
  // When the new ones are refused as well, the agent is told.
  house.bedrock.setAccount({ ...NEW, sessionToken: "newest-token" });
  const refused = await house.invoke(ask());
  expect(refused.status).toBe(403);
  expect(house.bedrock.refused).toHaveLength(3);
  await house.door.settled(3);
  expect(house.door.recorded[2]).toMatchObject({ inputTokens: 0, costUsd: 0 });
});

test("credentials are kept, sought once for calls that come together, and again before they end", async () => {
  let now = 0;
  let sought = 0;
  const kept = createKeptCredentials(
    () => {
      sought += 1;
      return Promise.resolve({ ...OLD, expiration: new Date(now + 600_000) });
    },
    () => now,
  );
  await Promise.all([kept.get(), kept.get(), kept.get()]);
  now = 299_000;
  await kept.get();
  expect(sought).toBe(1);
  now = 301_000;
  await kept.get();
  expect(sought).toBe(2);
});

test("no credentials: the agent is told at once, the operator why", async () => {
  await using gone = await createUpstream((res) => res.end());
  let tries = 0;
  const upstream = createBedrock({
    baseUrl: gone.url,
    region: REGION,
    models: [],
    bearerToken: null,
    credentials: createKeptCredentials(() => {
      tries += 1;
      return Promise.reject(new Error("profile work is not there"));
    }),
  });
  await using door = await createModelDoorHouse(upstream);
  const path = `/model/model/${MODEL}/invoke`;
  for (const attempt of [1, 2]) {
    const answered = await door.post(ask(), { path });
    expect(answered.status).toBe(400);
    expect(await answered.text()).toContain("no usable credentials for Amazon Bedrock");
    expect(tries).toBe(attempt);
  }
  expect(door.lines.join("\n")).toContain("profile work is not there");
});

test("a stream that is cut costs what was seen of it", async () => {
  await using house = await openHouse({ step: { text: "x".repeat(400), hangUp: true, usage } });
  const broken = await house.invoke(ask(), STREAM);
  await expect(broken.arrayBuffer()).rejects.toThrow("terminated");
  await house.door.settled(1);
  expect(house.door.recorded[0]).toMatchObject({ inputTokens: 100, outputTokens: 100 });
});

test("throttling reaches the agent as Bedrock says it", async () => {
  const error = { status: 429, type: "rate_limit_error", message: "Too many tokens" };
  await using house = await openHouse({ step: { error, text: "Later." } });
  const answered = await house.invoke(ask(), STREAM);
  expect([answered.status, answered.headers.get("x-amzn-errortype")]).toEqual([
    429,
    "ThrottlingException:",
  ]);
  expect((await house.invoke(ask(), STREAM)).status).toBe(200);
});

test("a used-up budget is told before the call", async () => {
  await using house = await openHouse({ maxTokens: 120 });
  await (await house.invoke(ask(), STREAM)).arrayBuffer();
  await house.door.settled(1);
  const refused = await house.invoke(ask(), STREAM);
  expect(refused.status).toBe(400);
  expect(await refused.text()).toContain("Session budget of 120 tokens is used up");
  expect(house.bedrock.served).toHaveLength(1);
});

test("nothing but Claude's models can be invoked, and nothing else be done", async () => {
  await using house = await openHouse();
  const post = async (path: string) => (await house.door.post(ask(), { path })).status;
  for (const path of [
    "/model/model/amazon.titan-text-express-v1/invoke",
    "/model/model/stability.claudette-v1/invoke",
    `/model/model/${MODEL}/converse`,
    `/model/model/${MODEL}/invoke?x=1`,
    `/model/model/${MODEL}/../x/invoke`,
    `/model/model/${MODEL}%2f..%2f..%2fguardrails/invoke%20`,
    "/model/model/%/invoke",
    "/model/inference-profiles?type=SYSTEM_DEFINED",
    "/model/v1/messages",
    "/model/async-invoke",
  ])
    expect([path, await post(path)]).toEqual([path, 404]);
  expect(house.bedrock.served).toEqual([]);
});

test("a client steers nothing by its headers, and sees no credential", async () => {
  await using upstream = await createUpstream((res) => {
    res.writeHead(500, { "content-type": "application/json" }).end('{"message":"broken"}');
  });
  const seen: string[] = [];
  upstream.server.on("request", (req) => seen.push(JSON.stringify(req.headers)));
  const way = createBedrock({
    baseUrl: `${upstream.url}/some/gateway/`,
    region: REGION,
    models: [],
    bearerToken: null,
    credentials: createKeptCredentials(() => Promise.resolve(OLD)),
  });
  await using door = await createModelDoorHouse(way);
  const path = `/model/model/${MODEL}/invoke`;
  const answered = await door.post(ask(), {
    path,
    headers: {
      "x-amzn-bedrock-guardrailidentifier": "none",
      "x-amz-security-token": "mine",
      "x-amz-content-sha256": "mine",
      connection: "x-amz-date",
    },
  });
  const told = JSON.stringify([...answered.headers]) + (await answered.text());
  expect(answered.status).toBe(500);
  expect(seen[0]).not.toMatch(/guardrail|"mine"|key-of-the-sandbox/);
  expect(seen[0]).toContain("AKIAOLD");
  for (const value of Object.values(OLD)) expect(told + door.lines.join()).not.toContain(value);
});
