import type { IncomingMessage } from "node:http";
import { HOP_BY_HOP } from "../../core/hop-by-hop.ts";

/** How the body of a request is delimited; null: in a way that two readers could take for two ways. */
export type Framing = { kind: "none" } | { kind: "chunked" } | { kind: "length"; bytes: string };

export function framingOf(req: IncomingMessage): Framing | null {
  const lengths = valuesOf(req, "content-length");
  const codings = valuesOf(req, "transfer-encoding");
  const [length, coding] = [lengths[0], codings[0]];
  if (lengths.length + codings.length > 1) return null;
  if (coding !== undefined) return coding.toLowerCase() === "chunked" ? { kind: "chunked" } : null;
  if (length === undefined) return { kind: "none" };
  return /^\d{1,15}$/.test(length) ? { kind: "length", bytes: length } : null;
}

/** Every value of a header, as often as it was sent. */
export function valuesOf(message: IncomingMessage, name: string): string[] {
  return pairs(message.rawHeaders).flatMap(([key, value]) =>
    key.toLowerCase() === name ? [value] : [],
  );
}

/** Names and values in turn, for the outside: the client's own, without what is for the proxy. */
export function onwardHeaders(req: IncomingMessage, host: string, framing: Framing): string[] {
  const kept = without(req, ["host", "content-length", "expect"]);
  const body =
    framing.kind === "chunked"
      ? ["Transfer-Encoding", "chunked"]
      : framing.kind === "length"
        ? ["Content-Length", framing.bytes]
        : METHODS_WITH_BODY.has(req.method ?? "")
          ? ["Content-Length", "0"]
          : [];
  return ["Host", host, ...kept, ...body, "Connection", "close"];
}
const METHODS_WITH_BODY = new Set(["POST", "PUT", "PATCH"]);

/** Names and values in turn, for the sandbox. */
export function answerHeaders(answer: IncomingMessage): string[] {
  return without(answer, []);
}

/** Roughly what a head has on the wire. */
export function headBytes(message: IncomingMessage): number {
  const first = (message.url ?? "").length + (message.statusMessage ?? "").length + 20;
  return message.rawHeaders.reduce((sum, text) => sum + text.length + 2, first);
}

function without(message: IncomingMessage, names: readonly string[]): string[] {
  const named = valuesOf(message, "connection").flatMap((value) =>
    value.split(",").map((name) => name.trim().toLowerCase()),
  );
  const dropped = new Set([...HOP_BY_HOP, ...names, ...named]);
  return pairs(message.rawHeaders).flatMap(([name, value]) =>
    dropped.has(name.toLowerCase()) ? [] : [name, value],
  );
}

function pairs(raw: readonly string[]): [name: string, value: string][] {
  const found: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) found.push([raw[at] ?? "", raw[at + 1] ?? ""]);
  return found;
}
