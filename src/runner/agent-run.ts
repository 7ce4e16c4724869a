import type { Agent, AgentOutcome, AgentPlace } from "../agents/agent.ts";
import type { Job } from "../core/job.ts";
import { watchHead } from "./head.ts";
import type { Line } from "./lines.ts";
import type { Outbox } from "./outbox.ts";
import { runProgram } from "./process.ts";
import type { Talk } from "./talk.ts";

/** The longest line that is read whole: a tool's result may well have megabytes. */
const LINE_BYTES = 8 * 1_048_576;
/** Of a line that is cut, this much is kept. */
const CUT_CHARS = 32_768;

/** Runs the agent to its end; everything that it says becomes events. */
export async function runAgent(options: {
  agent: Agent;
  job: Job;
  place: AgentPlace;
  outbox: Outbox;
  /** Null: the agent takes no orders. */
  talk: Talk | null;
  signal: AbortSignal;
}): Promise<AgentOutcome> {
  const { agent, job, place, outbox, talk } = options;
  const command = agent.command(job, place);
  const output = agent.createOutput();
  const head = watchHead(place.workspaceDir, (sha) => outbox.add("head.moved", { sha }));
  const silence = watchSilence(job.limits.stallMs, outbox);

  function onOutput({ text, lostBytes }: Line): void {
    silence.heard();
    if (lostBytes > 0)
      outbox.add("unknown", {
        raw: text.slice(0, CUT_CHARS).toWellFormed(),
        lostBytes: lostBytes + Buffer.byteLength(text.slice(CUT_CHARS)),
      });
    else
      for (const event of output.read(text)) {
        if (talk === null || talk.heard(event)) outbox.add(event.kind, event.body);
        if (event.kind === "tool.returned") head.look();
        // From here on it is the agent that waits.
        if (event.kind === "turn.finished") silence.end();
      }
  }

  try {
    const exit = await runProgram({
      argv: command.argv,
      env: command.env,
      stdin: command.stdin,
      ...(talk === null ? {} : { onInput: (input) => talk.begin(input) }),
      cwd: place.workspaceDir,
      maxLineBytes: LINE_BYTES,
      signal: options.signal,
      onStart: (pid) => outbox.add("agent.started", { agent: agent.name, pid }),
      onOutput,
      onError({ text, lostBytes }) {
        silence.heard();
        outbox.add("agent.printed", { line: text, ...(lostBytes > 0 ? { lostBytes } : {}) });
      },
    });
    outbox.add("agent.exited", { exitCode: exit.exitCode, signal: exit.signal });
    return output.outcome(exit);
  } finally {
    silence.end();
    talk?.end();
  }
}

/** Says once for each silence that the agent has said nothing for so long. */
function watchSilence(stallMs: number, outbox: Outbox) {
  const report = () => outbox.add("agent.stalled", { silentMs: stallMs });
  let timer = setTimeout(report, stallMs);
  return {
    heard(): void {
      clearTimeout(timer);
      timer = setTimeout(report, stallMs);
    },
    end: () => clearTimeout(timer),
  };
}
