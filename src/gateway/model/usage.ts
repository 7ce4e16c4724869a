import { StringDecoder } from "node:string_decoder";
import { createParser } from "eventsource-parser";
import { z } from "zod";
import { parseJson } from "../json.ts";
import { createFrameReader } from "./event-stream.ts";
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
const StreamEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("message_start"), message: Message }),
  z.object({ type: z.literal("message_delta"), usage: Usage }),
]);

/** How a piece of content begins on the wire, and how much of it is not content. */
const CONTENT = '{"type":"content_block_delta"';
const CONTENT_WRAPPING =
  '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}'.length;

/** A rough figure, on the high side for English and code. */
const CHARS_PER_TOKEN = 4;
const MAX_JSON_BYTES = 32 * 1024 * 1024;

export function createAnswerReader(contentType: string): AnswerReader {
  if (contentType.includes("text/event-stream")) return createStreamReader();
  if (contentType.includes("application/vnd.amazon.eventstream")) return createFramedReader();
  return createJsonReader();
}

function createStreamReader(): AnswerReader {
  const tally = createTally();
  const decoder = new StringDecoder("utf8");
  const parser = createParser({ onEvent: ({ data }) => tally.take(data) });
  return { read: (chunk) => parser.feed(decoder.write(chunk)), end: () => tally.end() };
}

/** Amazon Bedrock's stream: the same events in another framing. */
function createFramedReader(): AnswerReader {
  const tally = createTally();
  const frames = createFrameReader((json) => tally.take(json));
  return { read: (chunk) => frames.feed(chunk), end: () => tally.end() };
}

/**
 * Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming. `message_start` has the input figures,
 * `message_delta` the cumulative final ones.
 */
function createTally(): { take(json: string): void; end(): AnswerUsage } {
  const answer: AnswerUsage = { model: null, counts: noTokens(), certainty: "none" };
  let writtenChars = 0;

  return {
    take(json) {
      if (json.startsWith(CONTENT)) {
        // Nearly all of a stream; reading each would cost more than passing it on.
        writtenChars += Math.max(0, json.length - CONTENT_WRAPPING);
        return;
      }
      const event = StreamEvent.safeParse(parseJson(json));
      if (!event.success) {
        if (json.includes('"content_block_delta"')) writtenChars += json.length;
      } else if (event.data.type === "message_start") {
        answer.model = event.data.message.model;
        merge(answer.counts, event.data.message.usage);
        answer.certainty = "partial";
      } else {
        merge(answer.counts, event.data.usage);
        answer.certainty = "exact";
      }
    },
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
