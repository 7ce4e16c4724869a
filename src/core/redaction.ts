import type { EventBody } from "./event.ts";
import type { Secret } from "./secret.ts";

/** Makes secrets unreadable in what agents say. */
export interface Redaction {
  text(text: string): string;
  body(body: EventBody): EventBody;
}

// Shapes that their issuers document: tokens of GitHub, npm, Slack and hubs, keys of Anthropic and AWS, private keys.
const SHAPES =
  /\b(?:gh[pousr]_[A-Za-z0-9._-]{30,2000}|github_pat_\w{30,255}|sk-ant-[\w-]{20,255}|npm_[A-Za-z0-9]{36}|chub_[\w-]{43}|xox[abeoprs]-[\w-]{10,250}|A(?:KI|SI)A[A-Z0-9]{16}\b)|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[\w+/=\s]{1,10000}-----END [A-Z ]{0,20}PRIVATE KEY-----/g;
/** Shorter values occur in ordinary text. */
const SHORTEST = 8;

/** @param secrets What the hub itself holds; no sandbox should know them, and no log shall. */
export function createRedaction(secrets: readonly Secret[]): Redaction {
  const values = secrets
    .map((secret) => secret.reveal())
    .filter((value) => value.length >= SHORTEST);
  const text = (input: string): string => {
    let output = input;
    for (const value of values) output = output.replaceAll(value, "***");
    return output.replace(SHAPES, "***");
  };
  const json = (input: EventBody[string]): EventBody[string] => {
    if (typeof input === "string") return text(input);
    if (Array.isArray(input)) return input.map(json);
    if (input === null || typeof input !== "object") return input;
    return Object.fromEntries(Object.entries(input).map(([key, value]) => [key, json(value)]));
  };
  return {
    text,
    body: (body) =>
      Object.fromEntries(Object.entries(body).map(([key, value]) => [key, json(value)])),
  };
}
