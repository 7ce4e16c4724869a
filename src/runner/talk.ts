import { z } from "zod";
import type { AgentEvent, AgentInput } from "../agents/agent.ts";
import { EventBody } from "../core/event.ts";
import type { Order } from "./commands.ts";
import type { ProgramInput } from "./process.ts";

/** How long a message may stand in the agent's queue after its turn has ended, before it is let go. */
const QUEUED_MS = 60_000;

/** What people say to the agent while it runs, and when it may be let go. */
export interface Talk {
  /** Takes an order, also before the agent runs. */
  order(order: Order): void;
  /** The agent runs. */
  begin(input: ProgramInput): void;
  /** Looks at what the agent says; false: it is not for the log. */
  heard(event: AgentEvent): boolean;
  /** It was interrupted, and nobody has said anything since. */
  wasLeft(): boolean;
  end(): void;
}

/**
 * An agent is let go when its turn has ended, unless there is more to be said to it. Whether there is, the hub decides:
 * what it has accepted before it says `closed` is still delivered.
 */
const Question = z.object({ requestId: z.string(), tool: z.string(), input: EventBody });

export function createTalk(options: {
  input: AgentInput;
  idleMs: number;
  /** Whether the hub has nothing more than the orders up to that position. */
  mayClose(after: number): Promise<boolean>;
  /** Why the agent may not use a tool; null: it may. */
  mayUse(question: { requestId: string; tool: string; input: EventBody }): Promise<string | null>;
}): Talk {
  const { input, idleMs, mayClose } = options;
  let program: ProgramInput | null = null;
  const early: Order[] = [];
  /** Written, and not yet in the conversation. */
  const underWay = new Set<string>();
  let position = 0;
  let isAtWork = true;
  let isInterrupted = false;
  let isPaused = false;
  /** What came while it was paused. */
  const held: Order[] = [];
  let left = false;
  let timer: NodeJS.Timeout | undefined;

  function take(order: Order): void {
    // What was held back comes a second time.
    position = Math.max(position, order.position);
    if (isPaused && order.kind !== "resume") held.push(order);
    else write(order);
  }

  function write(order: Order): void {
    clearTimeout(timer);
    if (order.kind === "resume") {
      isPaused = false;
      underWay.add(order.id);
      isInterrupted = false;
      program?.write(input.message(order.id, order.text));
      for (const later of held.splice(0)) take(later);
      return;
    }
    if (order.kind === "message") {
      underWay.add(order.id);
      isInterrupted = false;
      program?.write(input.message(order.id, order.text));
      return;
    }
    // One that is paused waits for its resumption, however long that takes.
    isPaused = order.kind === "pause";
    isInterrupted = !isPaused;
    program?.write(input.interrupt(order.id));
    if (!isAtWork) rest();
  }

  function rest(): void {
    clearTimeout(timer);
    if (isPaused) return;
    if (underWay.size > 0) timer = setTimeout(() => letGo(false), QUEUED_MS);
    else if (isInterrupted) timer = setTimeout(() => letGo(true), idleMs);
    else letGo(false);
  }

  function letGo(wasIdle: boolean): void {
    mayClose(position).then(
      (closed) => {
        // Otherwise what the hub still has is on its way here.
        if (closed) end(wasIdle);
        return closed;
      },
      // A hub that cannot be asked will not say anything either.
      () => end(false),
    );
  }

  function end(wasIdle: boolean): void {
    left = wasIdle;
    program?.end();
  }

  function answer(body: EventBody): void {
    const question = Question.parse(body);
    const { requestId, input: asked } = question;
    options
      .mayUse(question)
      // Nobody can be asked: what has to be allowed is not.
      .catch(() => "has to be allowed by a person, who could not be asked")
      .then((reason) => program?.write(input.permission(requestId, asked, reason)))
      .catch(() => program?.end());
  }

  function atWork(): void {
    isAtWork = true;
    clearTimeout(timer);
  }

  return {
    order(order) {
      if (program === null) early.push(order);
      else take(order);
    },
    begin(started) {
      program = started;
      for (const order of early.splice(0)) take(order);
    },
    heard({ kind, body }) {
      switch (kind) {
        case "message.delivered":
          atWork();
          return typeof body["id"] === "string" && underWay.delete(body["id"]);
        case "agent.initialized":
          atWork();
          return true;
        case "turn.finished":
          isAtWork = false;
          rest();
          return true;
        case "approval.requested":
          answer(body);
          return false;
        default:
          return true;
      }
    },
    wasLeft: () => left,
    end: () => clearTimeout(timer),
  };
}
