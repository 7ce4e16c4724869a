import { expect, test } from "vitest";
import { Secret } from "../../../src/core/secret.ts";
import { KEY, createModelDoorHouse } from "../../../test/kit/model/model-door.ts";
import { createScriptedModel } from "../../../test/kit/model/scripted-model.ts";
import type { ScenarioInput } from "../../../test/kit/model/scenario.ts";
import { createVertexStandIn } from "../../../test/kit/model/vertex.ts";
import { createVertex } from "./vertex.ts";

const usage = { inputTokens: 100, outputTokens: 20, cacheReadTokens: 1_000, cacheWriteTokens: 10 };
const PLACE = { projectId: "acme-models", region: "us-east5" };
const ask = (more: Record<string, unknown> = {}) => ({
  anthropic_version: "vertex-2023-10-16",
  max_tokens: 1_000,
  messages: [{ role: "user", content: "hello" }],
  ...more,
});

async function openHouse(
  step: ScenarioInput["conversations"][number]["steps"][number] = { text: "Hi.", usage },
) {
  await using parts = new AsyncDisposableStack();
  const scenario = { conversations: [{ match: "hello", steps: [step] }] };
  const model = parts.use(await createScriptedModel({ scenario, apiKey: KEY }));
  const vertex = parts.use(
    await createVertexStandIn({ model, apiKey: KEY, token: "token-one", ...PLACE }),
  );
  const tokens = ["token-one", "token-two"];
  const upstream = createVertex({
    baseUrl: vertex.url,
    ...PLACE,
    token: {
      get: () => Promise.resolve(new Secret(tokens[0] ?? "no-token")),
      renew: () => void tokens.shift(),
    },
  });
  const door = parts.use(await createModelDoorHouse(upstream));
  const all = parts.move();
  return {
    vertex,
    door,
    /** As the sandbox has it: another project, another region. */
    predict: (body: unknown, verb: string, name = "claude-sonnet-4-5@20250929") =>
      door.post(body, {
        path: `/model/projects/other/locations/global/publishers/anthropic/models/${name}:${verb}`,
        headers: { "x-goog-user-project": "somebody-else" },
      }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

test("puts the hub's own project, region and token in place, and counts both forms", async () => {
  await using house = await openHouse();
  const whole = await house.predict(ask(), "rawPredict");
  expect(await whole.text()).toContain("Hi.");
  const stream = await house.predict(ask({ stream: true }), "streamRawPredict");
  expect(stream.headers.get("content-type")).toContain("text/event-stream");
  expect(await stream.text()).toContain("message_stop");
  await house.door.settled(2);
  const costUsd = (100 * 3 + 20 * 15 + 1_000 * 0.3 + 10 * 3.75) / 1_000_000;
  for (const one of house.door.recorded)
    expect(one).toEqual({ ...usage, modelCalls: 1, costUsd: expect.closeTo(costUsd, 9) });
  const models = "/v1/projects/acme-models/locations/us-east5/publishers/anthropic/models";
  expect(house.vertex.served).toEqual([
    `${models}/claude-sonnet-4-5@20250929:rawPredict`,
    `${models}/claude-sonnet-4-5@20250929:streamRawPredict`,
  ]);
});

test("counting tokens is free", async () => {
  await using house = await openHouse();
  const counted = await house.predict({ ...ask(), model: "x" }, "rawPredict", "count-tokens");
  expect(await counted.json()).toEqual({ input_tokens: expect.any(Number) });
  expect((await house.predict(ask(), "streamRawPredict", "count-tokens")).status).toBe(404);
  expect(house.door.calls).toEqual([]);
});

test("a token that is refused is replaced once", async () => {
  await using house = await openHouse();
  house.vertex.setToken("token-two");
  expect((await house.predict(ask(), "rawPredict")).status).toBe(200);
  expect(house.vertex.refused).toBe(1);
  house.vertex.setToken("token-nine");
  expect((await house.predict(ask(), "rawPredict")).status).toBe(401);
});

test("a stream that is cut costs what was seen of it; quotas reach the agent as they are", async () => {
  await using house = await openHouse({ text: "x".repeat(400), hangUp: true, usage });
  const broken = await house.predict(ask({ stream: true }), "streamRawPredict");
  await expect(broken.text()).rejects.toThrow("terminated");
  await house.door.settled(1);
  expect(house.door.recorded[0]).toMatchObject({ inputTokens: 100, outputTokens: 100 });
  const error = { status: 429, type: "rate_limit_error", message: "Quota" };
  await using busy = await openHouse({ error });
  const answered = await busy.predict(ask(), "rawPredict");
  expect([answered.status, await answered.text()]).toEqual([
    429,
    expect.stringContaining("RESOURCE_EXHAUSTED"),
  ]);
});

test("nothing but Anthropic's models can be asked", async () => {
  await using house = await openHouse();
  const at = "/model/projects/p/locations/l/publishers";
  for (const path of [
    `${at}/google/models/gemini-pro:rawPredict`,
    `${at}/anthropic/models/claude-sonnet-4-5:predict`,
    `${at}/anthropic/models/claude%2f..:rawPredict`,
    `${at}/anthropic/models/claude-sonnet-4-5:rawPredict?alt=sse`,
    "/model/v1/messages",
  ])
    expect([path, (await house.door.post(ask(), { path })).status]).toEqual([path, 404]);
  expect(house.vertex.served).toEqual([]);
});
