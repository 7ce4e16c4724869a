import { StringDecoder } from "node:string_decoder";
import { createParser } from "eventsource-parser";
import { z } from "zod";
import { parseJson } from "../json.ts";
import type { TokenCounts } from "./pricing.ts";

/** What one answer of the Messages API says of itself, read from a copy of its bytes. */
export interface AnswerReader {
  /** Never throws: what cannot be read is passed on all the same. */
  read(chunk: Uint8Array): void;
  end(): AnswerUsage;
}

export interface AnswerUsage {
  model: string | null;
  counts: TokenCounts;
  /**
   * `exact`: the answer gave its final figures. `partial`: it broke off, output is estimated from what was written.
   * `none`: it said nothing of usage.
   */
  certainty: "exact" | "partial" | "none";
}

const count = z.int().nonnegative().nullish();
const Usage = z.object({
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: count,
  cache_creation_input_tokens: count,
  cache_creation: z.object({ ephemeral_1h_input_tokens: count }).nullish(),
});
const Message = z.object({ model: z.string().max(200), usage: Usage });
const MessageStart = z.object({ message: Message });
const MessageDelta = z.object({ usage: Usage });
const ContentDelta = z.object({ delta: z.record(z.string(), z.unknown()) });

/** A rough figure, on the high side for English and code. */
const CHARS_PER_TOKEN = 4;
const MAX_JSON_BYTES = 32 * 1024 * 1024;

export function createAnswerReader(contentType: string): AnswerReader {
  return contentType.includes("text/event-stream") ? createStreamReader() : createJsonReader();
}

/**
 * Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming. `message_start` has the input figures,
 * `message_delta` the cumulative final ones.
 */
function createStreamReader(): AnswerReader {
  const answer: AnswerUsage = { model: null, counts: noTokens(), certainty: "none" };
  let writtenChars = 0;
  const decoder = new StringDecoder("utf8");
  const parser = createParser({
    onEvent({ event, data }) {
      const body = parseJson(data);
      if (event === "message_start") {
        const start = MessageStart.safeParse(body);
        if (!start.success) return;
        answer.model = start.data.message.model;
        merge(answer.counts, start.data.message.usage);
        answer.certainty = "partial";
      } else if (event === "message_delta") {
        const delta = MessageDelta.safeParse(body);
        if (!delta.success) return;
        merge(answer.counts, delta.data.usage);
        answer.certainty = "exact";
      } else if (event === "content_block_delta") writtenChars += charsOf(body);
    },
  });

  return {
    read: (chunk) => parser.feed(decoder.write(chunk)),
    end() {
      if (answer.certainty === "partial") {
        // Whoever cuts the stream just before its figures has had the tokens all the same.
        const estimate = Math.ceil(writtenChars / CHARS_PER_TOKEN);
        answer.counts.outputTokens = Math.max(answer.counts.outputTokens, estimate);
      }
      return answer;
    },
  };
}

function createJsonReader(): AnswerReader {
  const chunks: Uint8Array[] = [];
  let size = 0;
  return {
    read(chunk) {
      size += chunk.length;
      if (size <= MAX_JSON_BYTES) chunks.push(chunk);
    },
    end() {
      const counts = noTokens();
      const message = Message.safeParse(parseJson(Buffer.concat(chunks).toString()));
      if (!message.success) return { model: null, counts, certainty: "none" };
      merge(counts, message.data.usage);
      return { model: message.data.model, counts, certainty: "exact" };
    },
  };
}

export function noTokens(): TokenCounts {
  return {
    inputTokens: 0,
    outputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    cacheWriteHourTokens: 0,
  };
}

/** Later figures replace earlier ones; what a later report leaves out stays. */
function merge(counts: TokenCounts, usage: z.infer<typeof Usage>): void {
  counts.inputTokens = usage.input_tokens ?? counts.inputTokens;
  counts.outputTokens = usage.output_tokens ?? counts.outputTokens;
  counts.cacheReadTokens = usage.cache_read_input_tokens ?? counts.cacheReadTokens;
  counts.cacheWriteTokens = usage.cache_creation_input_tokens ?? counts.cacheWriteTokens;
  counts.cacheWriteHourTokens =
    usage.cache_creation?.ephemeral_1h_input_tokens ?? counts.cacheWriteHourTokens;
}

function charsOf(body: unknown): number {
  const parsed = ContentDelta.safeParse(body);
  if (!parsed.success) return 0;
  return Object.entries(parsed.data.delta).reduce(
    (sum, [key, value]) => (key !== "type" && typeof value === "string" ? sum + value.length : sum),
    0,
  );
}
