import { z } from "zod";

/** What `claude -p --output-format stream-json` prints, as far as it is understood; tried with version 2.1.330. */
const text = z.string();
export const SaidBlock = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), text }),
  z.object({ type: z.literal("thinking"), thinking: text }),
  z.object({ type: z.literal("tool_use"), id: text, name: text, input: z.json() }),
]);

export const ReturnedBlock = z.object({
  type: z.literal("tool_result"),
  tool_use_id: text,
  is_error: z.boolean().nullish(),
  content: z.union([text, z.array(z.looseObject({ type: text, text: text.optional() }))]).nullish(),
});

export const InitLine = z.object({
  type: z.literal("system"),
  subtype: z.literal("init"),
  session_id: text,
  model: text.catch(""),
  tools: z.array(text).catch([]),
});

export const RetryLine = z.object({
  type: z.literal("system"),
  subtype: z.literal("api_retry"),
  attempt: z.number(),
  max_retries: z.number(),
  retry_delay_ms: z.number(),
  error: z.json().optional(),
  error_status: z.json().optional(),
});

/** The blocks are read one by one: a new kind must not hide the known ones beside it. */
export const MessageLine = z.object({
  type: z.enum(["assistant", "user"]),
  /** Its name in the record of the conversation. */
  uuid: text.optional(),
  message: z.object({ content: z.array(z.json()).min(1) }),
});

/** A message that was given to it, repeated when it has got into the conversation. */
export const ReplayLine = z.object({
  type: z.literal("user"),
  isReplay: z.literal(true),
  uuid: text,
});

/** Says where a message is on its way; the repetition says what matters of that. */
export const LifecycleLine = z.object({ type: z.literal("command_lifecycle") });

/** Answers what it was asked on its standard input. */
export const ControlAnswerLine = z.object({
  type: z.literal("control_response"),
  response: z.object({ subtype: z.literal("success"), request_id: text }),
});

/** It asks whether it may use a tool. */
export const QuestionLine = z.object({
  type: z.literal("control_request"),
  request_id: text,
  request: z.object({
    subtype: z.literal("can_use_tool"),
    tool_name: text,
    input: z.record(text, z.json()).catch({}),
  }),
});

export const ResultLine = z.object({
  type: z.literal("result"),
  subtype: text.catch(""),
  is_error: z.boolean().catch(false),
  result: text.catch(""),
  // Absent when the answer was given in plain words, and after every error.
  structured_output: z.json().optional().catch(undefined),
  num_turns: z.number().catch(0),
  duration_ms: z.number().catch(0),
  total_cost_usd: z.number().catch(0),
  usage: z.json().catch(null),
  permission_denials: z.array(z.json()).catch([]),
  errors: z.array(text).catch([]),
});
export type ResultLine = z.infer<typeof ResultLine>;

/** The final answer that was asked for. */
export const Answer = z.object({ summary: text, nextSteps: z.array(text).catch([]) });
export type Answer = z.infer<typeof Answer>;
