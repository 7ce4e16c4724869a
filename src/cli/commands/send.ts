import type { Command } from "commander";
import { withConnection } from "./options.ts";
import type { ConnectionOptions } from "./options.ts";

export interface SendOptions extends ConnectionOptions {
  interrupt?: boolean;
  json?: boolean;
}

export function addSend(program: Command): void {
  const command = program
    .command("send")
    .description("tell a session something; its agent reads it at its next step")
    .argument("<id>", "a session's id, or its beginning")
    .argument("<text>", "what it is told; `-`: standard input")
    .option("--interrupt", "end what the agent is doing first")
    .option("--json", "print what the API answers");
  withConnection(command).action(async (id: string, text: string, options: SendOptions) => {
    const { send } = await import("../sessions/send.ts");
    await send(id, text, options);
  });
  const interrupt = program
    .command("interrupt")
    .description("end what an agent is doing; it waits to be told something then")
    .argument("<id>", "a session's id, or its beginning")
    .option("--json", "print what the API answers");
  withConnection(interrupt).action(async (id: string, options: SendOptions) => {
    const { interrupt: interruptSession } = await import("../sessions/send.ts");
    await interruptSession(id, options);
  });
}
