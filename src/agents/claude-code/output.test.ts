import * as fc from "fast-check";
import { expect, test } from "vitest";
import { boundedBody, EventBody, EventKind } from "../../core/event.ts";
import { createClaudeCodeOutput } from "./output.ts";

const ENDED = { exitCode: 0, signal: null };
const json = (value: unknown) => JSON.stringify(value);
const RESULT = {
  type: "result",
  subtype: "success",
  is_error: false,
  result: "Done.",
  num_turns: 2,
  duration_ms: 812.4,
  total_cost_usd: 0.01,
  usage: { input_tokens: 10 },
  permission_denials: [],
};

/** Lines as Claude Code 2.1.330 prints them, shortened. */
const SAID = [
  {
    line: {
      type: "system",
      subtype: "init",
      session_id: "s",
      model: "m",
      tools: ["Bash"],
      cwd: "/",
    },
    events: [
      { kind: "agent.initialized", body: { agentSessionId: "s", model: "m", tools: ["Bash"] } },
    ],
  },
  {
    line: {
      type: "assistant",
      message: {
        content: [
          { type: "thinking", thinking: "Hm.", signature: "x" },
          { type: "text", text: "I look." },
          { type: "tool_use", id: "t1", name: "Bash", input: { command: "ls" } },
        ],
      },
    },
    events: [
      { kind: "thought.written", body: { text: "Hm." } },
      { kind: "message.written", body: { text: "I look." } },
      { kind: "tool.called", body: { id: "t1", tool: "Bash", input: { command: "ls" } } },
    ],
  },
  {
    line: {
      type: "user",
      message: {
        content: [
          { type: "tool_result", tool_use_id: "t1", content: "a\nb" },
          {
            type: "tool_result",
            tool_use_id: "t2",
            is_error: true,
            content: [
              { type: "text", text: "no" },
              { type: "image", source: {} },
            ],
          },
        ],
      },
    },
    events: [
      { kind: "tool.returned", body: { id: "t1", text: "a\nb", isError: false } },
      { kind: "tool.returned", body: { id: "t2", text: "no\n[image]", isError: true } },
    ],
  },
  {
    line: {
      type: "system",
      subtype: "api_retry",
      attempt: 1,
      max_retries: 10,
      retry_delay_ms: 512.7,
      error_status: 529,
    },
    events: [
      { kind: "api.retried", body: { attempt: 1, maxRetries: 10, delayMs: 513, error: 529 } },
    ],
  },
  {
    line: RESULT,
    events: [
      {
        kind: "turn.finished",
        body: {
          isError: false,
          text: "Done.",
          turns: 2,
          durationMs: 812,
          costUsd: 0.01,
          usage: { input_tokens: 10 },
          denials: [],
        },
      },
    ],
  },
];

test.each(SAID)("reads %j", ({ line, events }) => {
  expect(createClaudeCodeOutput().read(json(line))).toEqual(events);
});

test("a known message with a block of an unknown kind keeps what is known, and is not lost", () => {
  const line = json({
    type: "assistant",
    message: {
      content: [
        { type: "new_thing", x: 1 },
        { type: "text", text: "known" },
      ],
    },
  });
  const events = createClaudeCodeOutput().read(line);
  expect(events.length).toBeGreaterThan(0);
  expect(json(events)).toContain("new_thing");
  expect(events).toContainEqual({ kind: "message.written", body: { text: "known" } });
});

test("the user's own words, and a result of a tool beside text, are not lost", () => {
  const output = createClaudeCodeOutput();
  const plain = output.read(json({ type: "user", message: { role: "user", content: "hello" } }));
  expect(json(plain)).toContain("hello");
  const mixed = output.read(
    json({
      type: "user",
      message: {
        content: [
          { type: "text", text: "note" },
          { type: "tool_result", tool_use_id: "t", content: "ok" },
        ],
      },
    }),
  );
  expect(json(mixed)).toContain("note");
  expect(mixed).toContainEqual({
    kind: "tool.returned",
    body: { id: "t", text: "ok", isError: false },
  });
});

test("what is no JSON is printed, what nobody knows is unknown", () => {
  const { read } = createClaudeCodeOutput();
  expect(read("Segmentation fault")).toEqual([
    { kind: "agent.printed", body: { line: "Segmentation fault" } },
  ]);
  for (const line of ["null", "[1,2]", '{"type":"nobody_knows"}', '{"type":"assistant"}'])
    expect(read(line)).toEqual([{ kind: "unknown", body: { raw: line } }]);
});

test("no line is too strange: it never throws, and gives at least one event that can be kept", () => {
  const types = ["system", "assistant", "user", "result", "init", "x"];
  const shaped = fc
    .record(
      {
        type: fc.constantFrom(...types),
        subtype: fc.oneof(
          fc.constantFrom("init", "api_retry", "success", "error_x"),
          fc.jsonValue(),
        ),
        message: fc.oneof(fc.jsonValue(), fc.record({ content: fc.array(fc.jsonValue()) })),
        session_id: fc.jsonValue(),
        result: fc.jsonValue(),
        usage: fc.jsonValue(),
        structured_output: fc.jsonValue(),
      },
      { requiredKeys: ["type"] },
    )
    .map((value) => JSON.stringify(value));
  const line = fc.oneof(fc.string({ unit: "binary" }), fc.json(), shaped);
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
      const output = createClaudeCodeOutput();
      for (const one of lines) {
        const events = output.read(one);
        expect(events.length).toBeGreaterThan(0);
        for (const { kind, body } of events) {
          EventKind.parse(kind);
          EventBody.parse(boundedBody(body));
        }
      }
      const { ok, error } = output.outcome(ENDED);
      expect(ok || (error ?? "") !== "").toBe(true);
    }),
    { numRuns: 300 },
  );
});

function outcomeAfter(
  result: object | null,
  exit: { exitCode: number | null; signal: string | null },
) {
  const output = createClaudeCodeOutput();
  if (result !== null) output.read(json(result));
  return output.outcome(exit);
}

test("the structured answer is the summary, the last text stands in for it", () => {
  const structured_output = { summary: "All well.", nextSteps: ["Rest"] };
  expect(outcomeAfter({ ...RESULT, structured_output }, ENDED)).toMatchObject({
    ok: true,
    summary: "All well.",
    nextSteps: ["Rest"],
  });
  expect(outcomeAfter({ ...RESULT, structured_output: { summary: 3 } }, ENDED)).toMatchObject({
    ok: true,
    summary: "Done.",
    nextSteps: [],
  });
  const long = {
    summary: "x".repeat(30_000),
    nextSteps: Array.from({ length: 99 }, () => "y".repeat(3_000)),
  };
  const outcome = outcomeAfter({ ...RESULT, structured_output: long }, ENDED);
  expect([outcome.summary.length, outcome.nextSteps.length, outcome.nextSteps[0]?.length]).toEqual([
    20_000, 50, 2_000,
  ]);
});

test.each([
  { result: null, exit: ENDED, says: "without a result" },
  { result: RESULT, exit: { exitCode: 1, signal: null }, says: "exit code 1" },
  { result: null, exit: { exitCode: 137, signal: null }, says: "memory" },
  { result: null, exit: { exitCode: null, signal: "SIGKILL" }, says: "memory" },
  { result: RESULT, exit: { exitCode: null, signal: "SIGTERM" }, says: "SIGTERM" },
  {
    result: { ...RESULT, is_error: true, result: "Credit is low" },
    exit: ENDED,
    says: "Credit is low",
  },
  {
    result: { ...RESULT, subtype: "error_max_turns", result: undefined },
    exit: ENDED,
    says: "error_max_turns",
  },
  {
    result: { ...RESULT, is_error: true, errors: ["boom"], result: "" },
    exit: { exitCode: 1, signal: null },
    says: "boom",
  },
])("is not ok: $says", ({ result, exit, says }) => {
  const outcome = outcomeAfter(result, exit);
  expect(outcome.ok).toBe(false);
  expect(outcome.error).toContain(says);
});
