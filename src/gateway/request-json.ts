import type { IncomingMessage } from "node:http";
import type { z } from "zod";
import { invalidRequest } from "../core/errors.ts";
import { readBody } from "./git/body.ts";
import { parseJson } from "./json.ts";

/** A body that has to fit a schema. @throws HubError `invalid_request` or `payload_too_large`. */
export async function readJson<Schema extends z.ZodType>(
  req: IncomingMessage,
  schema: Schema,
  maxBytes: number,
): Promise<z.infer<Schema>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readBody(req, maxBytes)) chunks.push(chunk);
  const parsed = schema.safeParse(parseJson(Buffer.concat(chunks).toString()));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalidRequest(issue?.path.join(".") ?? "", issue?.message ?? "does not fit");
}
