import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** One thing for the stand-in agent to do. The commands of `run`, `commit`, `push` and `write` show as tool calls. */
export type StandInStep =
  | { print: string }
  /** A line of standard output, or of standard error, as it is. */
  | { raw: string }
  | { stderr: string }
  /** This many messages, each padded to `bytes`. */
  | { lines: number; everyMs?: number; bytes?: number }
  /** This many lines that are no JSON, half of one, no UTF-8 or of no known kind. */
  | { garbage: number }
  /** One well-formed line with a text of this length. */
  | { longLineBytes: number }
  /** Says nothing for so long; two words for the same. */
  | { sleepMs: number }
  | { silentMs: number }
  /** SIGTERM, SIGINT and SIGHUP do nothing from here on. */
  | { ignoreSignals: true }
  /** Ends at once, without a result line. */
  | { exit: number }
  | { killSelf: NodeJS.Signals }
  /** Leaves a process in a session of its own behind; `holdOutput` keeps the agent's standard output open in it. */
  | { fork: { seconds: number; holdOutput?: boolean } }
  /** Writes a file `filler` in the workspace and says how far it came. */
  | { fillDiskBytes: number }
  | { write: { path: string; content: string } }
  | { run: string }
  /** Adds everything and commits. */
  | { commit: string }
  /** `git push origin HEAD`, or what is named instead of HEAD. */
  | { push: true | string }
  /** Calls the Messages API at ANTHROPIC_BASE_URL and prints status and answer. */
  | { model: { text?: string; maxTokens?: number; calls?: number } }
  /**
   * Calls a tool of the hub; what it answers shows as the tool's result. In `input`, `"{{made}}"` becomes the ids of the
   * sessions that it has made, and `{{made:0}}` the first of these; `{{own}}` is its own session's.
   */
  | { tool: { name: string; input?: Record<string, unknown> } }
  /** Waits for a message; what that tells it to do (a directive of its own), it does in the same turn. */
  | { hear: true }
  /** What the result line will say when all steps are done; null: end with code 0 and no result line. */
  | {
      result: {
        summary?: string;
        nextSteps?: string[];
        /** The structured answer, where one of another form is asked for. */
        answer?: unknown;
        isError?: boolean;
        costUsd?: number;
      } | null;
    };

/** Executable that takes `StandInStep`s; about 30 ms to start. Needs `node` in the PATH it is given. */
export const standInAgentPath = join(import.meta.dirname, "stand-in-agent.mjs");

/** Executable that only says that it is done; a few ms. */
export const standInNoopPath = join(import.meta.dirname, "stand-in-noop.sh");

/** The line that tells the stand-in agent what to do; goes anywhere in a prompt. */
export function standIn(...steps: StandInStep[]): string {
  return `stand-in: ${JSON.stringify({ steps })}`;
}

export interface StandInStart {
  sessionId: string;
  pid: number;
  /** Null for the no-operation agent, which does not take the time to look at the clock. */
  at: string | null;
}

/** Every start of a stand-in with this home directory, in order. */
export async function readStandInStarts(homeDir: string): Promise<StandInStart[]> {
  let text: string;
  try {
    text = await readFile(join(homeDir, ".stand-in-starts"), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [sessionId = "", pid = "", at = ""] = line.split(" ");
      return { sessionId, pid: Number(pid), at: at === "-" ? null : at };
    });
}
