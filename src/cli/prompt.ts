import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { Secret } from "../core/secret.ts";

/** Asks the person at the terminal, or reads lines that a script has written. */
export interface Prompt extends Disposable {
  say(text: string): void;
  /** The answer without blanks around it; the fallback when there is none. */
  ask(question: string, fallback?: string): Promise<string>;
  /** What is typed does not show. */
  secret(question: string): Promise<Secret>;
  /** The number of the chosen one. */
  choose(question: string, choices: readonly string[]): Promise<number>;
}

const ATTEMPTS = 5;

/** @throws when the input ends before there is an answer. */
export function createPrompt(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Prompt {
  let muted = false;
  const isTerminal = "isTTY" in input && input.isTTY === true;
  const shown = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!muted) output.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input, output: shown, terminal: isTerminal });
  // Whole files arrive at once: no line may be lost between two questions.
  const answers = lines[Symbol.asyncIterator]();
  lines.once("SIGINT", () => lines.close());

  async function next(question: string): Promise<string> {
    if (isTerminal) {
      // So that the question stays when the line is edited.
      lines.setPrompt(question);
      lines.prompt();
    } else output.write(question);
    const { value, done } = await answers.next();
    if (done === true) throw new Error("there was no answer");
    return value.trim();
  }

  return {
    say: (text) => void output.write(`${text}\n`),
    async ask(question, fallback = "") {
      const answer = await next(fallback === "" ? `${question}: ` : `${question} [${fallback}]: `);
      return answer === "" ? fallback : answer;
    },
    async secret(question) {
      const pending = next(`${question} (not shown): `);
      // From here on: the question itself has been written.
      muted = true;
      try {
        return new Secret(await pending);
      } finally {
        muted = false;
        output.write("\n");
      }
    },
    async choose(question, choices) {
      output.write(`${question}\n${choices.map((text, at) => `  ${at + 1}  ${text}\n`).join("")}`);
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const answer = Number(await next(`1–${choices.length}: `));
        if (Number.isInteger(answer) && answer >= 1 && answer <= choices.length) return answer - 1;
      }
      throw new Error("there was no such choice");
    },
    [Symbol.dispose]: () => lines.close(),
  };
}
