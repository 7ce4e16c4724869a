import { expect, test } from "vitest";
import { createScriptedModel } from "./scripted-model.ts";
import type { ScenarioInput } from "./scenario.ts";

const KEY = "dummy-key";

function ask(url: string, body: unknown, key = KEY): Promise<Response> {
  return fetch(`${url}/v1/messages?beta=true`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": key },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

function conversation(...steps: ScenarioInput["conversations"][number]["steps"]): ScenarioInput {
  return { conversations: [{ match: "make tea", steps }] };
}

const request = { model: "m", max_tokens: 10, messages: [{ role: "user", content: "make tea" }] };
const later = {
  ...request,
  messages: [
    ...request.messages,
    { role: "assistant", content: [{ type: "text", text: "water" }] },
    { role: "user", content: [{ type: "text", text: "go on" }] },
  ],
};

test("answers the step that the conversation has come to, whole and streamed", async () => {
  const call = { name: "Bash", input: { command: "ls {{cwd}}" } };
  await using model = await createScriptedModel({
    apiKey: KEY,
    scenario: conversation(
      { text: "water" },
      { thinking: "hm", text: "tea 🍵", toolCalls: [call] },
    ),
  });

  const whole = await ask(model.url, request);
  expect(await whole.json()).toMatchObject({
    type: "message",
    content: [{ type: "text", text: "water" }],
    stop_reason: "end_turn",
    usage: { cache_read_input_tokens: 0 },
  });

  const system = [{ type: "text", text: "- Primary working directory: /somewhere" }];
  const streamed = await ask(model.url, { ...later, system, stream: true });
  expect(streamed.headers.get("content-type")).toContain("text/event-stream");
  const text = await streamed.text();
  expect([...text.matchAll(/^event: (.*)$/gm)].map((match) => match[1]).join(" ")).toBe(
    [
      "message_start ping",
      "content_block_start content_block_delta content_block_delta content_block_stop",
      "content_block_start content_block_delta content_block_stop",
      "content_block_start content_block_delta content_block_delta content_block_stop",
      "message_delta message_stop",
    ].join(" "),
  );
  expect(text).toContain("tea 🍵");
  expect(text).toContain(JSON.stringify(JSON.stringify({ command: "ls /somewhere" })));
  expect(text).toContain('"stop_reason":"tool_use"');
});

test("counts tokens, tells the usage it is given, and says so when it has no more to say", async () => {
  const usage = { inputTokens: 7, outputTokens: 3, cacheReadTokens: 2, cacheWriteTokens: 1 };
  await using model = await createScriptedModel({
    apiKey: KEY,
    scenario: conversation({ text: "a", usage }),
  });

  expect(await (await ask(model.url, request)).json()).toMatchObject({
    usage: {
      input_tokens: 7,
      output_tokens: 3,
      cache_read_input_tokens: 2,
      cache_creation_input_tokens: 1,
    },
  });
  expect(await (await ask(model.url, later)).text()).toContain("no further step");
  const other = { ...request, messages: [{ role: "user", content: "make coffee" }] };
  expect(await (await ask(model.url, other)).text()).toContain("no conversation for this");
  const title = { ...request, system: "Write a title for this." };
  expect(await (await ask(model.url, title)).text()).toContain("Scripted session");

  const count = await fetch(`${model.url}/v1/messages/count_tokens`, {
    method: "POST",
    headers: { "x-api-key": KEY },
    body: JSON.stringify(request),
  });
  expect(await count.json()).toEqual({ input_tokens: expect.any(Number) });

  model.setScenario({ conversations: [{ match: { regex: "^MAKE", flags: "im" }, steps: [{}] }] });
  expect((await ask(model.url, request)).status).toBe(200);
});

test("lets only the right key in, keeps what it was shown, and refuses what is no request", async () => {
  await using model = await createScriptedModel({ apiKey: KEY, scenario: conversation({}) });

  const refused = await ask(model.url, request, "wrong");
  expect(refused.status).toBe(401);
  expect(await refused.json()).toMatchObject({ error: { type: "authentication_error" } });
  expect((await ask(model.url, request)).status).toBe(200);
  expect((await ask(model.url, "{")).status).toBe(400);
  expect((await fetch(`${model.url}/v1/complete`, { headers: { "x-api-key": KEY } })).status).toBe(
    404,
  );
  expect((await fetch(model.url, { method: "HEAD" })).status).toBe(200);

  expect(model.keysSeen).toEqual(["wrong", KEY]);
  expect(JSON.stringify(model.requests)).not.toContain(KEY);
  expect(model.requests[0]).toMatchObject({ path: "/v1/messages?beta=true", body: request });
});

test("fails as often as the script says, then goes on", async () => {
  const error = { status: 529, type: "overloaded_error", message: "Overloaded", times: 2 };
  await using model = await createScriptedModel({
    apiKey: KEY,
    scenario: conversation({ error, hangUp: true, text: "at last" }),
  });

  expect((await ask(model.url, request)).status).toBe(529);
  expect((await ask(model.url, request)).status).toBe(529);
  const cut = await ask(model.url, { ...request, stream: true });
  await expect(cut.text()).rejects.toThrow(/terminated/);
  expect(await (await ask(model.url, { ...request, stream: true })).text()).toContain("at last");
});
