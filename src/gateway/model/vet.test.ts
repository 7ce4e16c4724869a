import { expect, test } from "vitest";
import { KEY, createModelDoorHouse } from "../../../test/kit/model/model-door.ts";
import { createScriptedModel } from "../../../test/kit/model/scripted-model.ts";
import { serviceAskedFor } from "./vet.ts";

const message = (...content: object[]) => ({ messages: [{ role: "user", content }] });

test.each<[string, object]>([
  ["web_search", { tools: [{ type: "web_search_20250305", name: "web_search" }] }],
  ["web_fetch", { tools: [{ name: "a" }, { type: "web_fetch_20250910", name: "web_fetch" }] }],
  ["code_execution", { tools: [{ type: "code_execution_20250825", name: "code_execution" }] }],
  ["advisor", { tools: [{ type: "advisor_20260301", name: "advisor" }] }],
  ["something_new", { tools: [{ type: "something_new_20270101", name: "x" }] }],
  ["web_search", { tools: [{ type: "web_search", name: "web_search" }] }],
  ["unknown", { tools: [{ type: 1 }] }],
  ["mcp", { tools: [{ type: "mcp_toolset", mcp_server_name: "x" }] }],
  ["mcp", { mcp_servers: [{ type: "url", url: "https://evil.example", name: "x" }] }],
  ["mcp", { mcp_servers: { 0: {} } }],
  ["containers", { container: "container_1" }],
  ["containers", { container: { skills: [] } }],
  ["urls", message({ type: "image", source: { type: "url", url: "https://evil.example/x" } })],
  ["urls", { system: [{ type: "document", source: { type: "url", url: "https://x" } }] }],
  [
    "urls",
    message({
      type: "tool_result",
      content: [{ type: "image", source: { type: "url", url: "https://x" } }],
    }),
  ],
  ["files", message({ type: "document", source: { type: "file", file_id: "file_1" } })],
  ["files", message({ type: "container_upload", file_id: "file_1" })],
  [
    "web_fetch",
    message({ type: "tool_addition", tool: { type: "web_fetch_20250910", name: "web_fetch" } }),
  ],
  ["unknown", { Tools: [] }],
])("%s is noticed: %j", (service, body) => {
  expect(serviceAskedFor(body, [])).toBe(service);
  expect(serviceAskedFor(body, [service])).toBeNull();
});

test("what agents do themselves passes, and so does all that is only data", () => {
  const body = {
    tools: [
      { name: "Bash", input_schema: { properties: { type: { const: "web_fetch_20250910" } } } },
      { type: "custom", name: "x", input_schema: {} },
      { type: "bash_20250124", name: "bash" },
      { type: "text_editor_20250728", name: "editor" },
      { type: "computer_20250124", name: "computer" },
      { type: "memory_20250818", name: "memory" },
      { type: "tool_search_tool_bm25_20251119", name: "search" },
    ],
    mcp_servers: [],
    container: null,
    context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
    ...message(
      { type: "tool_use", id: "t", name: "x", input: { type: "url", file_id: "mine" } },
      { type: "image", source: { type: "base64", media_type: "image/png", data: "" } },
      { type: "text", text: '{"type":"web_fetch_20250910"}' },
    ),
  };
  expect(serviceAskedFor(body, [])).toBeNull();
});

const scenario = { conversations: [{ match: "hello", steps: [{ text: "Hi." }] }] };
const ask = (more: string) =>
  `{"model":"claude-sonnet-4-5","max_tokens":10,"messages":[{"role":"user","content":"hello"}]${more}}`;
const FETCH = '"tools":[{"type":"web_fetch_20250910","name":"web_fetch"}]';

test("the door refuses in the API's shape, tells it once, and costs nothing", async () => {
  await using model = await createScriptedModel({ scenario, apiKey: KEY });
  await using house = await createModelDoorHouse(model.url);
  for (const path of ["/model/v1/messages", "/model/v1/messages/count_tokens"]) {
    const refused = await house.post(ask(`,${FETCH}`), { path });
    expect(refused.status).toBe(400);
    expect(refused.headers.get("x-should-retry")).toBe("false");
    expect(await refused.json()).toEqual({
      type: "error",
      error: {
        type: "invalid_request_error",
        message: expect.stringContaining("web_fetch would be done by the model's provider"),
      },
    });
  }
  expect(house.refusals).toMatchObject([{ service: "web_fetch", model: "claude-sonnet-4-5" }]);
  expect([model.requests, house.calls]).toEqual([[], []]);
  await using open = await createModelDoorHouse(model.url, { serverTools: ["web_fetch"] });
  expect((await open.post(ask(`,${FETCH}`))).status).toBe(200);
});

test("the provider reads what the door has read, whatever its own reader does with it", async () => {
  await using model = await createScriptedModel({ scenario, apiKey: KEY });
  await using house = await createModelDoorHouse(model.url);
  // The same name twice: one reader takes the first, another the last.
  expect((await house.post(ask(`,${FETCH},"tools":[]`))).status).toBe(200);
  expect(JSON.stringify(model.requests.at(-1)?.body)).not.toContain("web_fetch");
  const packed = await house.post(ask(""), { headers: { "content-encoding": "gzip" } });
  expect(packed.status).toBe(200);
  expect(model.requests.at(-1)?.headers["content-encoding"]).toBeUndefined();
  const deep = ask(`,"x":${"[".repeat(20_000)}${"]".repeat(20_000)}`);
  expect([200, 400]).toContain((await house.post(deep)).status);
  for (const body of ["[]", '"x"', "", "null", "\u0000"])
    expect((await house.post(body)).status).toBe(400);
});
