import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { notFound } from "../../core/errors.ts";
import { clientAddress } from "../address.ts";
import type { Guard } from "../auth.ts";
import { parseJson, readBody } from "../body.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "../deps.ts";
import { failureOf } from "../failure.ts";
import { createRate } from "../rates.ts";
import { createTurns } from "../turns.ts";
import { answerClaude } from "./claude.ts";
import type { WebhookAnswer } from "./claude.ts";
import { answerGithub } from "./github.ts";

/** In the contract's words. */
const WHAT = "webhook requests";
/** Of up to `webhookBodyBytes` each, before anything is known of who sends them. */
const LARGE_AT_ONCE = 8;

/** The older API, as its contract writes it. */
export function createWebhooks(deps: HttpDeps, guard: Guard): Hono<HttpEnv> {
  const { settings } = deps;
  const byAddress = createRate(settings.ratePerAddress, WHAT);
  const byToken = createRate(settings.ratePerToken, WHAT);

  const large = createTurns(LARGE_AT_ONCE, "large deliveries");

  async function answer(c: HttpContext, provider: string): Promise<WebhookAnswer> {
    await byAddress.spend(clientAddress(c, settings.trustProxy));
    if (provider === "github") return await answerGithub(deps, guard, large, c);
    if (provider !== "claude") throw notFound("Webhook provider");
    await guard.bearer(c);
    // There is one token so far.
    await byToken.spend("bearer");
    return await answerClaude(
      deps,
      parseJson(await readBody(c.env.incoming, settings.apiBodyBytes)),
    );
  }

  return (
    new Hono<HttpEnv>()
      // Without a token, as the contract says: names of providers and nothing else.
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
        return send(c, JSON.stringify({ success: true, message, data }));
      })
  );
}

/** Past the web's Response: measured, a quarter more answers a second. */
function send(c: HttpContext, body: string): Response {
  c.env.outgoing
    .writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    })
    .end(body);
  return RESPONSE_ALREADY_SENT;
}

/** A failure as the contract writes it. */
export function webhookFailure(c: HttpContext, error: unknown, deps: HttpDeps): Response {
  const { status, code, message } = failureOf(c, error, deps.log);
  const body =
    code === "rate_limited"
      ? { error: message, message: `${message} from this IP, please try again later.` }
      : { success: false, error: message };
  return c.json(body, status satisfies ContentfulStatusCode);
}
