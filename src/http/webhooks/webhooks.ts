import { Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { notFound, unauthorized } from "../../core/errors.ts";
import { clientAddress } from "../address.ts";
import { createTokenCheck, shownToken } from "../auth.ts";
import { parseJson, readBody } from "../body.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "../deps.ts";
import { failureOf } from "../failure.ts";
import { createRate } from "../rates.ts";
import { answerClaude } from "./claude.ts";
import type { WebhookAnswer } from "./claude.ts";
import { answerGithub } from "./github.ts";

/** The older API, as its contract writes it. */
export function createWebhooks(deps: HttpDeps): Hono<HttpEnv> {
  const { settings } = deps;
  const byAddress = createRate(settings.ratePerAddress);
  const byToken = createRate(settings.ratePerToken);
  const failures = createRate(settings.authFailures);
  const isRight = createTokenCheck(deps.secrets.bearer);

  async function answer(c: HttpContext, provider: string): Promise<WebhookAnswer> {
    const address = clientAddress(c, settings.trustProxy);
    await byAddress(address);
    try {
      if (provider === "github")
        return await answerGithub(
          deps,
          c,
          await readBody(c.env.incoming, settings.webhookBodyBytes),
        );
      if (provider !== "claude") throw notFound("Webhook provider");
      const token = shownToken(c.req.header("authorization"));
      if (token === null || !isRight(token)) throw unauthorized();
    } catch (error) {
      // Whoever guesses is slowed down.
      if (isUnauthorized(error)) await failures(address);
      throw error;
    }
    // There is one token so far.
    await byToken("bearer");
    const body = await readBody(c.env.incoming, settings.apiBodyBytes);
    return await answerClaude(deps, parseJson(body));
  }

  return new Hono<HttpEnv>()
    .get("/health", (c) =>
      c.json({
        status: "healthy",
        providers: [
          { name: "github", handlerCount: 1 },
          { name: "claude", handlerCount: 6 },
        ],
      }),
    )
    .post("/:provider", async (c) => {
      const { message, data } = await answer(c, c.req.param("provider"));
      return c.json({ success: true, message, data });
    });
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "unauthorized";
}

/** A failure as the contract writes it. */
export function webhookFailure(c: HttpContext, error: unknown, deps: HttpDeps): Response {
  const { status, code, message, retryAfterSeconds } = failureOf(error, deps.log);
  if (retryAfterSeconds !== undefined) c.header("Retry-After", String(retryAfterSeconds));
  if (status === 401) c.header("WWW-Authenticate", "Bearer");
  const body =
    code === "rate_limited"
      ? { error: message, message: `${message} from this IP, please try again later.` }
      : { success: false, error: message };
  return c.json(body, status satisfies ContentfulStatusCode);
}
