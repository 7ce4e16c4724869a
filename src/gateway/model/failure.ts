import type { ServerResponse } from "node:http";
import { HubError } from "../../core/errors.ts";

/**
 * Errors in the shape of the Messages API, because the agent reads them. What a client does next depends on the
 * status: it gives up on 400 at once and shows the text, and it tries again for minutes on 429 and 5xx.
 * Source: https://docs.anthropic.com/en/api/errors, and Claude Code 2.1.330 as it behaves.
 */
export function answerFailure(res: ServerResponse, error: HubError): void {
  const retry = error.retryable;
  const [status, type] =
    error.code === "payload_too_large"
      ? [413, "request_too_large"]
      : error.code === "rate_limited"
        ? [429, "rate_limit_error"]
        : error.code === "not_found"
          ? [404, "not_found_error"]
          : retry
            ? [error.status, "api_error"]
            : [400, "invalid_request_error"];
  res.writeHead(status, {
    "content-type": "application/json",
    // Said outright for clients of Anthropic's own libraries.
    "x-should-retry": String(retry),
    ...(error.retryAfterSeconds === undefined
      ? {}
      : { "retry-after": String(error.retryAfterSeconds) }),
  });
  res.end(JSON.stringify({ type: "error", error: { type, message: error.message } }));
}
