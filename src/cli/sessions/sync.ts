import { everySession } from "../../client/pages.ts";
import type { ConnectionOptions } from "../commands/options.ts";
import { connect } from "../connection/connect.ts";
import { printJson } from "../screen/json.ts";
import { statusText } from "../screen/style.ts";
import { table } from "../screen/table.ts";

const OPEN = ["running", "initializing", "pending"] as const;

export async function sync(options: ConnectionOptions & { json?: boolean }): Promise<void> {
  const hub = await connect(options);
  const counts: Record<string, number> = {};
  for (const status of OPEN) {
    counts[status] = 0;
    for await (const _session of everySession(hub, { status })) counts[status] += 1;
  }
  if (options.json === true) return printJson(counts);
  const rows = Object.entries(counts).map(([status, count]) => [statusText(status), String(count)]);
  process.stdout.write(table(["STATUS", "SESSIONS"], rows));
}
