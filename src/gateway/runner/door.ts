import type { IncomingMessage, ServerResponse } from "node:http";
import { HubError, invalidRequest } from "../../core/errors.ts";
import {
  Conversation,
  EventBatch,
  RunnerClosing,
  RunnerQuestion,
  RunnerResult,
} from "../../core/job.ts";
import type { EventBatchAnswer, RunnerCommands } from "../../core/job.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Intake } from "../../sessions/intake.ts";
import { readJson } from "../request-json.ts";
import { readPath } from "../request-path.ts";
import type { Door, GatewaySession } from "../session.ts";

const POLL_MS = 25_000;
/** JSON writes a byte as up to six. */
const RESULT_BYTES = 6 * LIMITS.diffBytes;

/** The runner door: the job, events, the result and commands of one session, below `/runner/`. */
export function createRunnerDoor(intake: Intake): Door {
  return async (req, res, session) => {
    const path = readPath(req.url ?? "");
    const answer = await serve(`${req.method} ${path?.steps.slice(1).join("/")}`, {
      intake,
      req,
      res,
      session,
    });
    if (res.destroyed) return;
    res.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
    res.end(JSON.stringify(answer));
  };
}

interface Request {
  intake: Intake;
  req: IncomingMessage;
  res: ServerResponse;
  session: GatewaySession;
}

async function serve(what: string, { intake, req, res, session }: Request): Promise<unknown> {
  const { sessionId } = session;
  switch (what) {
    case "GET job":
      return await intake.job(sessionId);
    case "GET start": {
      const gone = new AbortController();
      res.once("close", () => gone.abort());
      return await intake.start(sessionId, POLL_MS, gone.signal);
    }
    case "POST start":
      await intake.goOn(sessionId);
      return {};
    case "POST events": {
      const batch = await readJson(req, EventBatch, LIMITS.batchBytes);
      const answer: EventBatchAnswer = { ackedSeq: await intake.events(sessionId, batch) };
      return answer;
    }
    case "POST result":
      await intake.result(sessionId, await readJson(req, RunnerResult, RESULT_BYTES));
      return {};
    case "GET conversation":
      return await intake.conversation(sessionId);
    case "POST conversation":
      await intake.keepConversation(
        sessionId,
        await readJson(req, Conversation, LIMITS.conversationChars + 1_024),
      );
      return {};
    case "GET commands": {
      const gone = new AbortController();
      res.once("close", () => gone.abort());
      const commands = await intake.commands(sessionId, positionOf(req), {
        waitMs: POLL_MS,
        signal: gone.signal,
      });
      const answer: RunnerCommands = { commands };
      return answer;
    }
    case "POST question": {
      const { key, tool, input } = await readJson(req, RunnerQuestion, RESULT_BYTES);
      const gone = new AbortController();
      res.once("close", () => gone.abort());
      const question = { key: `tool ${key}`, kind: "tool" as const, subject: tool, detail: input };
      return await intake.ask(sessionId, question, { waitMs: POLL_MS, signal: gone.signal });
    }
    case "POST closing": {
      const { after } = await readJson(req, RunnerClosing, 1_024);
      return await intake.close(sessionId, after);
    }
    default:
      throw new HubError("not_found", "Not found");
  }
}

/** `after`: the last order that the runner has; it has none if it says nothing. */
function positionOf({ url = "" }: IncomingMessage): number {
  const after = readPath(url)?.query.get("after") ?? "0";
  if (!/^\d{1,9}$/.test(after)) throw invalidRequest("after", "must be a number");
  return Number(after);
}
