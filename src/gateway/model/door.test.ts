import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { z } from "zod";
import {
  KEY,
  createModelDoorHouse,
  createUpstream,
  session,
} from "../../../test/kit/model/model-door.ts";
import { createScriptedModel } from "../../../test/kit/model/scripted-model.ts";
import { waitFor } from "../../../test/kit/wait.ts";

const ask = (more: Record<string, unknown> = {}) => ({
  model: "claude-sonnet-4-5",
  max_tokens: 1_000,
  messages: [{ role: "user", content: "hello" }],
  ...more,
});
const usage = { inputTokens: 100, outputTokens: 20, cacheReadTokens: 1_000, cacheWriteTokens: 10 };
const scenario = { conversations: [{ match: "hello", steps: [{ text: "Hi there.", usage }] }] };
const start = `event: message_start\ndata: ${JSON.stringify({
  type: "message_start",
  message: { model: "claude-sonnet-4-5", usage: { input_tokens: 50, output_tokens: 1 } },
})}\n\n`;
const delta = (text: string) =>
  `event: content_block_delta\ndata: ${JSON.stringify({
    type: "content_block_delta",
    index: 0,
    delta: { type: "text_delta", text },
  })}\n\n`;
const stream = { "content-type": "text/event-stream" };

test("streams an answer through with the hub's key, and counts it", async () => {
  await using model = await createScriptedModel({ scenario, apiKey: KEY });
  await using house = await createModelDoorHouse(model.url);
  for (const streams of [true, false]) {
    const response = await house.post(ask({ stream: streams }));
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("Hi there.");
  }
  await house.settled(2);
  expect(model.keysSeen).toEqual([KEY]);
  const seen = model.requests[0];
  expect(seen?.path).toBe("/v1/messages?beta=true");
  expect(seen?.headers).toMatchObject({
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "some-feature",
    "accept-encoding": "identity",
  });
  expect(seen?.headers["cookie"]).toBeUndefined();
  const costUsd = (100 * 3 + 20 * 15 + 1_000 * 0.3 + 10 * 3.75) / 1_000_000;
  for (const one of house.recorded)
    expect(one).toEqual({ ...usage, modelCalls: 1, costUsd: expect.closeTo(costUsd, 9) });
  expect(house.calls[0]).toMatchObject({
    sessionId: session.sessionId,
    model: "claude-sonnet-4-5",
    status: 200,
  });
});

test("bytes arrive as they are sent, not at the end", async () => {
  const held: ServerResponse[] = [];
  await using upstream = await createUpstream((res) => {
    res.writeHead(200, stream);
    res.write(start);
    held.push(res);
  });
  await using house = await createModelDoorHouse(upstream.url);
  const response = await house.post(ask({ stream: true }));
  const reader = response.body?.getReader();
  const first = await reader?.read();
  expect(Buffer.from(first?.value ?? []).toString()).toBe(start);
  held[0]?.end(delta("x"));
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe(delta("x"));
});

test("a stream that breaks, or that the client leaves, costs what was seen of it", async () => {
  let closed = 0;
  await using upstream = await createUpstream((res, body) => {
    res.once("close", () => (closed += 1));
    res.writeHead(200, stream);
    res.write(start + delta("x".repeat(400)));
    if (body.includes("break")) setImmediate(() => res.destroy());
  });
  await using house = await createModelDoorHouse(upstream.url);
  const broken = await house.post(ask({ stream: true, metadata: "break" }));
  await expect(broken.text()).rejects.toThrow("terminated");
  await house.settled(1);

  const leaving = new AbortController();
  const left = await house.post(ask({ stream: true }), { signal: leaving.signal });
  await left.body?.getReader().read();
  leaving.abort();
  await house.settled(2);
  await waitFor(() => closed === 2);
  for (const one of house.recorded)
    expect(one).toMatchObject({ inputTokens: 50, outputTokens: 100 });
});

test("a client cannot hide a whole answer's cost by leaving", async () => {
  const release = Promise.withResolvers<void>();
  await using upstream = await createUpstream((res) => {
    void release.promise.then(() =>
      res.writeHead(200, { "content-type": "application/json" }).end(
        JSON.stringify({
          model: "claude-opus-4-5",
          usage: { input_tokens: 7, output_tokens: 9 },
        }),
      ),
    );
  });
  await using house = await createModelDoorHouse(upstream.url);
  const leaving = new AbortController();
  const asked = once(upstream.server, "request");
  const left = house.post(ask(), { signal: leaving.signal }).catch(() => "left");
  await asked;
  leaving.abort();
  expect(await left).toBe("left");
  release.resolve();
  await house.settled(1);
  expect(house.recorded[0]).toMatchObject({ inputTokens: 7, outputTokens: 9 });
});

test("a used-up budget is told before the call, in words that end the agent's turn", async () => {
  await using model = await createScriptedModel({ scenario, apiKey: KEY });
  await using house = await createModelDoorHouse(model.url, { maxTokens: 120 });
  await (await house.post(ask())).text();
  await house.settled(1);
  const refused = await house.post(ask());
  expect(refused.status).toBe(400);
  expect(refused.headers.get("x-should-retry")).toBe("false");
  expect(await refused.json()).toEqual({
    type: "error",
    error: {
      type: "invalid_request_error",
      message: "Session budget of 120 tokens is used up",
    },
  });
  expect(model.requests).toHaveLength(1);
});

test("calls made at once pass the budget by one call at the most", async () => {
  await using model = await createScriptedModel({ scenario, apiKey: KEY });
  await using house = await createModelDoorHouse(model.url, { maxTokens: 300 });
  const statuses = await Promise.all(
    Array.from({ length: 12 }, async () => {
      const response = await house.post(ask());
      await response.text();
      return response.status;
    }),
  );
  // 120 tokens a call: two fit into 300, the third passes the limit, the rest is refused.
  expect(statuses.filter((status) => status === 200)).toHaveLength(3);
  expect(statuses.filter((status) => status === 400)).toHaveLength(9);
});

test("what goes wrong upstream reaches the agent in a shape that it retries", async () => {
  const Failure = z.object({ type: z.literal("error"), error: z.object({ type: z.string() }) });
  await using gone = await createUpstream((res) => res.destroy());
  await using house = await createModelDoorHouse(gone.url);
  const unreachable = await house.post(ask({ stream: true }));
  expect(unreachable.status).toBe(502);
  expect(Failure.parse(await unreachable.json()).error.type).toBe("api_error");
  await house.settled(1);
  expect(house.recorded[0]).toMatchObject({ inputTokens: 0, costUsd: 0 });

  let asked = 0;
  await using busy = await createUpstream((res) => {
    asked += 1;
    res.writeHead(529, { "content-type": "application/json", "retry-after": "3" });
    res.end('{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}');
  });
  await using other = await createModelDoorHouse(busy.url);
  const overloaded = await other.post(ask());
  expect([overloaded.status, overloaded.headers.get("retry-after")]).toEqual([529, "3"]);
  expect(await overloaded.text()).toContain("overloaded_error");
  // Trying again is the agent's business.
  expect(asked).toBe(1);
});

test("only the two endpoints exist, and bodies have a bound", async () => {
  await using model = await createScriptedModel({ scenario, apiKey: KEY });
  await using house = await createModelDoorHouse(model.url);
  const status = async (path: string, body: unknown = ask()) => {
    const response = await house.post(body, { path });
    await response.text();
    return response.status;
  };
  expect(await status("/model/v1/messages/count_tokens")).toBe(200);
  for (const path of [
    "/model",
    "/model/v1/files",
    "/model/v1/messages/",
    "/model/v1/messages/batches",
  ])
    expect(await status(path)).toBe(404);
  expect(await status("/model/v1/messages", "not json")).toBe(400);
  expect(await status("/model/v1/messages", "x".repeat(33_554_433))).toBe(413);
  expect(house.recorded.every(({ costUsd }) => costUsd === 0)).toBe(true);
});

test("the hub's key shows nowhere but upstream", async () => {
  await using gone = await createUpstream((res) => res.destroy());
  await using refusing = await createUpstream((res) => {
    res.writeHead(401, { "content-type": "application/json", "set-cookie": "session=1" });
    res.end(
      '{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}',
    );
  });
  for (const { url } of [gone, refusing, { url: "http://127.0.0.1:1" }]) {
    await using house = await createModelDoorHouse(url);
    const response = await house.post(ask());
    const seen = JSON.stringify([[...response.headers], await response.text(), house.lines]);
    expect([401, 502]).toContain(response.status);
    expect(response.headers.get("set-cookie")).toBeNull();
    expect(house.lines).toHaveLength(1);
    expect(seen).not.toContain(KEY);
  }
});

test("a session cannot fill the hub's memory with requests that it holds open", async () => {
  const held: ServerResponse[] = [];
  await using upstream = await createUpstream((res) => void held.push(res));
  await using house = await createModelDoorHouse(upstream.url, {
    limits: { maxHeldBytes: 50_000 },
  });
  const large = ask({ system: "x".repeat(30_000) });
  const first = house.post(large);
  await waitFor(() => held.length === 1);
  const refused = await house.post(large);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "5"]);
  held[0]?.writeHead(200, { "content-type": "application/json" }).end("{}");
  await (await first).text();
  const third = house.post(large);
  await waitFor(() => held.length === 2);
  held[1]?.writeHead(200, { "content-type": "application/json" }).end("{}");
  expect((await third).status).toBe(200);
});

test("closing ends what still runs, and settles it", async () => {
  await using upstream = await createUpstream(() => undefined);
  await using house = await createModelDoorHouse(upstream.url);
  const asked = once(upstream.server, "request");
  const answered = house.post(ask());
  await asked;
  await house.closeModel();
  expect(house.calls).toMatchObject([{ status: 502 }]);
  expect((await answered).status).toBe(502);
});
