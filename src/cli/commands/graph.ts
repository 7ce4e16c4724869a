import type { Command } from "commander";
import { withConnection } from "./options.ts";
import type { ConnectionOptions } from "./options.ts";

export interface GraphOptions extends ConnectionOptions {
  watch?: boolean;
  json?: boolean;
}

export function addGraph(program: Command): void {
  const command = program
    .command("graph")
    .description("draw which sessions come after which")
    .argument("<id>", "a session's id, or its beginning, or an orchestration's id")
    .option("-w, --watch", "look again and again, until all have ended")
    .option("--json", "print the sessions as JSON; with --watch one line each time");
  withConnection(command).action(async (id: string, options: GraphOptions) => {
    const { graph } = await import("../sessions/graph.ts");
    await graph(id, options);
  });
}
