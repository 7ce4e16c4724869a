import { FLUSH, pktLine, sideband } from "./pkt-line.ts";

export interface RefReport {
  ref: string;
  /** Null: accepted. */
  reason: string | null;
}

/**
 * The answer to a push, as the client asked for it. Every refused ref is printed by git as
 * `! [remote rejected] name -> name (reason)`. Source: gitprotocol-pack(5), "Report Status".
 *
 * @param text For the person; printed with `remote: ` before each line.
 */
export function encodeReport(
  refs: readonly RefReport[],
  text: string,
  capabilities: ReadonlySet<string>,
): Buffer {
  const report = Buffer.concat([
    pktLine("unpack ok\n"),
    ...refs.map(({ ref, reason }) =>
      pktLine(reason === null ? `ok ${ref}\n` : `ng ${ref} ${oneLine(reason)}\n`),
    ),
    FLUSH,
  ]);
  const wanted = capabilities.has("report-status") || capabilities.has("report-status-v2");
  const answer = wanted ? report : Buffer.alloc(0);
  if (!capabilities.has("side-band-64k")) return answer;
  return Buffer.concat([sideband(2, Buffer.from(text)), sideband(1, answer), FLUSH]);
}

function oneLine(reason: string): string {
  return reason.replaceAll(/\s+/g, " ").trim().slice(0, 300);
}
