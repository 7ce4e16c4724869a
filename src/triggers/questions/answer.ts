import type { Decision } from "../../core/approval.ts";
import { HubError } from "../../core/errors.ts";
import type { AskedApproval } from "../../store/talk/approvals.ts";
import type { TriggerDeps } from "../deps.ts";
import { react, say } from "../order.ts";
import type { Order } from "../order.ts";
import type { ThreadEvent } from "../payload.ts";
import { codeOf, codeSpan } from "../report/questions.ts";
import { neutralise } from "../report/neutralise.ts";
import type { Outcome } from "../worker.ts";

/**
 * An answer that names no question may have been meant for one that was closed while it was written, so for as long those
 * count, too.
 */
const MEANT_MS = 600_000;
const KNOWN = 50;
const NOTE_CHARS = 1_000;

/** Answers a question that a session of this thread has for people. Null: none is open, and what was said may mean something else. */
export async function answerQuestion(order: Order, decision: Decision): Promise<Outcome | null> {
  const { deps, event, heard } = order;
  if (event.sender.isBot)
    return { state: "ignored", outcome: "a question is answered by people alone" };
  const by = `github:${event.sender.login}`;
  const { code, note } = wordsOf(heard.instruction);
  const all = await askedOn(deps, event);
  const named = code === null ? all : all.filter(({ id }) => codeOf(id) === code || id === code);
  const [asked, ...others] = named;
  if (asked === undefined)
    return code === null ? null : await say(order, `No question here is called \`${code}\`.`);
  // The same delivery, after a crash.
  if (others.length === 0 && asked.answeredBy === by && asked.decision === decision)
    return await answered(order, asked, decision);
  if (code === null) {
    const open = named.filter((one) => isOpen(deps, one));
    if (open.length === 0) return null;
    if (others.length > 0)
      return await say(order, `Which one? Say it with its code: ${open.map(nameOf).join(", ")}.`);
  }
  try {
    const own = note === "" ? {} : { note: note.slice(0, NOTE_CHARS).toWellFormed() };
    await deps.approvals.answer(asked.sessionId, asked.id, { decision, ...own, by });
  } catch (error) {
    if (!(error instanceof HubError) || error.code !== "conflict") throw error;
    return await say(order, `${neutralise(error.message, NOTE_CHARS)}.`);
  }
  return await answered(order, asked, decision);
}

async function answered(
  { deps, repository, event, heard }: Order,
  { id, sessionId }: AskedApproval,
  decision: Decision,
): Promise<Outcome> {
  await react(repository, event, heard.source, "+1");
  deps.onAsked();
  const what = decision === "allow" ? "allowed" : "denied";
  return { state: "done", outcome: `what session ${sessionId} asked (${codeOf(id)}) is ${what}` };
}

/** What sessions of a thread have asked that nobody has answered, or not for long. */
async function askedOn(
  { threads, threadPlans, questions, clock }: TriggerDeps,
  { repository, number }: ThreadEvent,
): Promise<AskedApproval[]> {
  const [sessions, plans] = await Promise.all([
    threads.ofThread(repository.id, number, KNOWN),
    threadPlans.ofThread(repository.id, number, KNOWN),
  ]);
  return await questions.among({
    sessionIds: sessions.filter(({ state }) => state === "live").map((one) => one.sessionId),
    orchestrationIds: plans
      .filter(({ state }) => state === "live")
      .map((one) => one.orchestrationId),
    closedSince: new Date(clock.now().getTime() - MEANT_MS),
  });
}

function isOpen({ clock }: TriggerDeps, { decision, dueAt }: AskedApproval): boolean {
  return decision === null && Date.parse(dueAt) > clock.now().getTime();
}

function nameOf({ id, subject }: AskedApproval): string {
  return `\`${codeOf(id)}\` (${codeSpan(subject, 100)})`;
}

/** A code, perhaps, and what else was said. */
function wordsOf(instruction: string): { code: string | null; note: string } {
  const match = CODE.exec(instruction);
  if (match === null) return { code: null, note: instruction };
  const note = instruction.slice(match[0].length).trim();
  return { code: match[1]?.toLowerCase() ?? null, note };
}

const CODE =
  /^`?([0-9a-f]{8}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?![\w-])`?[\s,.:;!?]*/i;
