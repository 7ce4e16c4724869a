import { Command } from "commander";
import { addApprovals } from "./commands/approvals.ts";
import { addAuth } from "./commands/auth.ts";
import { addBatch } from "./commands/batch.ts";
import { addCompletion } from "./commands/completion.ts";
import { addContinue } from "./commands/continue.ts";
import { addDemo } from "./commands/demo.ts";
import { addDiff } from "./commands/diff.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addEngineProxy } from "./commands/engine-proxy.ts";
import { addExamples } from "./commands/examples.ts";
import { addFork } from "./commands/fork.ts";
import { addGitHub } from "./commands/github.ts";
import { addGraph } from "./commands/graph.ts";
import { addList } from "./commands/list.ts";
import { addLogin } from "./commands/login.ts";
import { addLogs } from "./commands/logs.ts";
import { addMcp } from "./commands/mcp.ts";
import { addPlan } from "./commands/plan.ts";
import { addRecover } from "./commands/recover.ts";
import { addPause } from "./commands/pause.ts";
import { addSend } from "./commands/send.ts";
import { addServe } from "./commands/serve.ts";
import { addShow } from "./commands/show.ts";
import { addStart } from "./commands/start.ts";
import { addStop } from "./commands/stop.ts";
import { addToken } from "./commands/token.ts";

/** All commands, as they are declared; what they do is loaded when one is called. */
export function createProgram(): Command {
  const program = new Command("claude-hub")
    .description("A self-hosted control plane for coding-agent sessions.")
    .helpCommand("help [command]", "show how a command is used")
    .showSuggestionAfterError()
    // Before the commands, which inherit it.
    .exitOverride();
  program.commandsGroup("Sessions:");
  for (const add of [
    addStart,
    addList,
    addShow,
    addLogs,
    addDiff,
    addStop,
    addSend,
    addPause,
    addContinue,
    addFork,
    addApprovals,
    addRecover,
    addBatch,
    addGraph,
    addPlan,
  ])
    add(program);
  program.commandsGroup("Set-up:");
  for (const add of [addLogin, addToken, addMcp, addCompletion, addExamples]) add(program);
  program.commandsGroup("The hub:");
  for (const add of [addServe, addDoctor, addAuth, addGitHub, addEngineProxy, addDemo])
    add(program);
  return program;
}
