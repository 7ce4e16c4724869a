import { createClient } from "../../src/client/client.ts";
import { HubRefusal } from "../../src/client/refusal.ts";
import { talkOf } from "../../src/client/talk.ts";
import type { OpenApproval } from "../../src/core/approval.ts";
import { createCard } from "./card.ts";
import { part } from "./part.ts";

const EVERY_MS = 2_000;
/** Of this tab alone, and gone with it. */
const KEPT = "claude-hub-token";

const UNHEARD = "The hub could not be reached. Answer again if the question is still here.";

const signIn = part("sign-in", HTMLFormElement);
const signOut = part("sign-out", HTMLButtonElement);
const field = part("token", HTMLInputElement);
const list = part("questions", HTMLElement);
const status = part("status", HTMLElement);
const cards = new Map<string, HTMLElement>();
let token = sessionStorage.getItem(KEPT);
/** Counts what was asked: an answer that comes after a newer one says what was. */
let turns = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
/** What was last done, which stays to be read until something else is. */
let done = "";

const hub = (shown: string) => talkOf(createClient({ url: location.origin, token: shown }));

function say(text: string): void {
  if (status.textContent !== text) status.textContent = text;
}

/** Cards that stay are not touched: somebody may be writing a note. */
function show(questions: readonly OpenApproval[]): void {
  const asked = new Set(questions.map(({ id }) => id));
  for (const [id, card] of cards) {
    if (asked.has(id)) continue;
    card.remove();
    cards.delete(id);
  }
  for (const question of questions) {
    if (cards.has(question.id)) continue;
    const card = createCard(question, (decision, note) => decide(question, decision, note));
    cards.set(question.id, card);
    list.append(card);
  }
  document.title = `${cards.size > 0 ? `(${cards.size}) ` : ""}Questions · Claude Hub`;
  say(done !== "" ? done : cards.size === 0 ? "Nothing is asked." : "");
}

async function decide(
  { id, sessionId, subject }: OpenApproval,
  decision: "allow" | "deny",
  note: string,
): Promise<void> {
  if (token === null) return;
  try {
    await hub(token).decide(sessionId, id, { decision, ...(note === "" ? {} : { note }) });
    done = `${decision === "allow" ? "Allowed" : "Denied"}: ${subject}`;
  } catch (error) {
    // It stays to be read, also when the hub is there again.
    done = error instanceof HubRefusal ? reasonOf(error) : UNHEARD;
  }
  await refresh();
}

async function refresh(): Promise<void> {
  clearTimeout(timer);
  const shown = token;
  signIn.hidden = shown !== null;
  signOut.hidden = shown === null;
  if (shown === null) return;
  turns += 1;
  const turn = turns;
  try {
    const questions = await hub(shown).openApprovals();
    if (turn !== turns || token !== shown) return;
    show(questions);
  } catch (error) {
    if (turn !== turns || token !== shown) return;
    if (error instanceof HubRefusal && error.status === 401) {
      leave("This token is not known.");
      return;
    }
    say(reasonOf(error));
  }
  clearTimeout(timer);
  timer = setTimeout(() => void refresh(), EVERY_MS);
}

function leave(words: string): void {
  token = null;
  done = "";
  sessionStorage.removeItem(KEPT);
  show([]);
  say(words);
  signIn.hidden = false;
  signOut.hidden = true;
  field.focus();
}

function reasonOf(error: unknown): string {
  if (error instanceof HubRefusal) return `${error.detail ?? error.message}.`;
  return "The hub cannot be reached. This page tries again.";
}

signIn.addEventListener("submit", (event) => {
  event.preventDefault();
  token = field.value.trim();
  field.value = "";
  sessionStorage.setItem(KEPT, token);
  say("");
  void refresh();
});
signOut.addEventListener("click", () => {
  clearTimeout(timer);
  leave("");
});
void refresh();
