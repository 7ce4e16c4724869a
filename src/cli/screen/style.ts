import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Colours where there is a terminal that wants them: not when piped, not with NO_COLOR. */
export function style(format: Style, text: string): string {
  return styleText(format, text, { stream: process.stdout, validateStream: true });
}

const STATUS_STYLES: Record<string, Style> = {
  pending: "dim",
  initializing: "blue",
  running: "cyan",
  completed: "green",
  failed: "red",
  cancelled: "yellow",
};

export function statusText(status: string): string {
  return style(STATUS_STYLES[status] ?? "reset", status);
}

/** How an event's line looks. */
export function eventStyle(kind: string): Style {
  if (/failed|refused|died|exceeded|stalled/.test(kind)) return "red";
  if (/^(session\.completed|branch\.|commit\.)/.test(kind)) return "green";
  if (kind === "message.written") return "bold";
  if (/^(thought|tool\.returned|model|api)/.test(kind)) return "dim";
  return "reset";
}
