import { expect, test } from "vitest";
import { frameOf } from "../../../test/kit/model/bedrock.ts";
import { LIST_PRICES, costUsd, priceOf } from "./pricing.ts";
import { createAnswerReader, noTokens } from "./usage.ts";

const events = [
  {
    type: "message_start",
    message: {
      model: "claude-opus-4-5",
      usage: {
        input_tokens: 5,
        output_tokens: 1,
        cache_read_input_tokens: 70,
        cache_creation_input_tokens: 30,
        cache_creation: { ephemeral_1h_input_tokens: 10 },
      },
    },
  },
  { type: "content_block_start", index: 0 },
  { type: "ping" },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Grüße 🎉" } },
  { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 42 } },
  { type: "message_stop" },
];
const frames = Buffer.concat(events.map((one) => frameOf(JSON.stringify(one))));
const text = events.map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join("");

test("reads the same figures wherever the stream is cut into chunks", () => {
  for (const [type, bytes] of [
    ["text/event-stream; charset=utf-8", Buffer.from(text)],
    ["application/vnd.amazon.eventstream", frames],
  ] as const)
    for (const size of [1, 3, 7, 64, bytes.length]) {
      const reader = createAnswerReader(type);
      for (let at = 0; at < bytes.length; at += size) reader.read(bytes.subarray(at, at + size));
      expect(reader.end()).toEqual({
        model: "claude-opus-4-5",
        certainty: "exact",
        counts: {
          inputTokens: 5,
          outputTokens: 42,
          cacheReadTokens: 70,
          cacheWriteTokens: 30,
          cacheWriteHourTokens: 10,
        },
      });
    }
});

test("a frame that is no frame ends the reading, and what came before counts", () => {
  const first = frameOf(JSON.stringify(events[0]));
  for (const garbage of [
    Buffer.alloc(64),
    Buffer.alloc(64, 0xff),
    Buffer.from("<html></html>      "),
  ]) {
    const reader = createAnswerReader("application/vnd.amazon.eventstream");
    reader.read(Buffer.concat([first, garbage]));
    for (let chunk = 0; chunk < 100; chunk += 1) reader.read(Buffer.alloc(65_536, 1));
    expect(reader.end()).toMatchObject({ certainty: "partial", counts: { inputTokens: 5 } });
  }
  // An error in the midst of a stream is a frame with another payload.
  const reader = createAnswerReader("application/vnd.amazon.eventstream");
  reader.read(Buffer.concat([first, frameOf("not json"), frameOf('{"type":"error"}')]));
  expect(reader.end()).toMatchObject({ certainty: "partial", model: "claude-opus-4-5" });
});

test("garbage is no usage and no error", () => {
  for (const type of [
    "text/event-stream",
    "application/vnd.amazon.eventstream",
    "application/json",
    "",
  ]) {
    const reader = createAnswerReader(type);
    reader.read(Buffer.from("event: message_start\ndata: {\n\n\u0000{]event: x\ndata: 1\n\n"));
    expect(reader.end()).toMatchObject({ certainty: "none", counts: noTokens() });
  }
});

test("a model that no rule knows costs what the dearest does; the deployment's rules come first", () => {
  expect(priceOf("claude-sonnet-4-5-20250929")).toMatchObject({ input: 3, output: 15 });
  expect(priceOf("claude-opus-4-1-20250805")).toMatchObject({ input: 15, output: 75 });
  expect(priceOf("claude-opus-4-20250514")).toMatchObject({ input: 15, output: 75 });
  expect(priceOf("claude-opus-4-7")).toMatchObject({ input: 5, output: 25 });
  expect(priceOf("anthropic.claude-haiku-4-5-v1:0")).toMatchObject({ input: 1, output: 5 });
  expect(priceOf("something-new")).toMatchObject({ input: 15, output: 75 });
  const own = { input: 1, output: 2, cacheRead: 3, cacheWrite: 4, cacheWriteHour: 5 };
  const rules = [{ model: "sonnet", price: own }, ...LIST_PRICES];
  expect(priceOf("claude-sonnet-4-5", rules)).toBe(own);
  const counts = {
    inputTokens: 1_000_000,
    outputTokens: 1_000_000,
    cacheReadTokens: 1_000_000,
    cacheWriteTokens: 2_000_000,
    cacheWriteHourTokens: 1_000_000,
  };
  expect(costUsd(counts, own)).toBe(15);
});
