import type { OpenApproval } from "../../src/core/approval.ts";
import { found, part } from "./part.ts";

export type Answer = (decision: "allow" | "deny", note: string) => Promise<void>;

/** One question with its two buttons. All that it says was written by others, so it goes in as text. */
export function createCard(question: OpenApproval, answer: Answer): HTMLElement {
  const copy = part("question", HTMLTemplateElement).content.cloneNode(true);
  if (!(copy instanceof DocumentFragment)) throw new Error("the page's template is empty");
  const { kind, subject, detail, repository, sessionId } = question;
  const within = <Kind extends Element>(selector: string, kindOf: new () => Kind) =>
    found(copy.querySelector(selector), kindOf, selector);
  within("h2", HTMLElement).textContent =
    kind === "host" ? `May it reach the host ${subject}?` : `May it use the tool ${subject}?`;
  within(".from", HTMLElement).textContent = `${repository} · session ${sessionId}`;
  within("pre", HTMLElement).textContent = detail;
  within(".until", HTMLElement).textContent = `Without an answer by ${timeOf(question)} it is no.`;
  const note = within("input", HTMLInputElement);
  const buttons = [...copy.querySelectorAll("button")];
  // No form: whoever ends a note with the Enter key has said neither yes nor no.
  for (const button of buttons)
    button.addEventListener("click", () => {
      for (const one of buttons) one.disabled = true;
      const decision = button.value === "allow" ? "allow" : "deny";
      void answer(decision, note.value).finally(() => {
        for (const one of buttons) one.disabled = false;
      });
    });
  return within("article", HTMLElement);
}

function timeOf({ dueAt }: OpenApproval): string {
  return new Date(dueAt).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}
