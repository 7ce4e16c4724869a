import type { z } from "zod";
import type { EventBody, EventKind } from "./event.ts";
import type { Id } from "./id.ts";

/** One call of a tool, as the tool itself sees it. */
export interface ToolCall {
  sessionId: Id;
  /** How many calls of this tool the session has been granted, this one included. */
  ordinal: number;
  /** The same whenever this call is made again because its answer was lost: what is written under it is written once. */
  key: string;
  /** Adds an event to the session's log. */
  record(kind: EventKind, body: EventBody): Promise<void>;
  /** Aborted when nobody waits for the answer any more. */
  signal: AbortSignal;
  /** Tells who waits, if he wants to be told. */
  progress(message: string): void;
}

/** What the hub does when the agent of a session asks for it. */
export interface Tool {
  /** `verb_noun`. */
  name: string;
  /** For the model. */
  description: string;
  input: z.ZodObject;
  /** Calls that one session is granted; of those that only read, as many as it likes. */
  limit: number;
  /**
   * What the same input means the second time: `once`, the call whose answer was lost, which is answered as before;
   * `again`, another call, unless it is the same request. `reads`: nothing is done by it; it waits for no other call, and none
   * for it.
   */
  repeated: "once" | "again" | "reads";
  /** It may take hours; its answer is a stream, on which is told how it stands. */
  waits?: boolean;
  /** Answers what the model is told. @throws HubError which says why it is not done. */
  run(input: unknown, call: ToolCall): Promise<string>;
}

/** Has a tool's `run` take what its schema has made of the input. */
export function toolOf<Input extends z.ZodObject>(
  tool: Omit<Tool, "input" | "run"> & {
    input: Input;
    run(input: z.infer<Input>, call: ToolCall): Promise<string>;
  },
): Tool {
  return { ...tool, run: (input, call) => tool.run(tool.input.parse(input), call) };
}
