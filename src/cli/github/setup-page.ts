import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { HubError } from "../../core/errors.ts";
import { setupHtml } from "./setup-html.ts";

/** The one page of the set-up, on loopback; it is given to whoever has the address first. */
export interface SetupPage extends AsyncDisposable {
  /** With a token in it that is good once. */
  address: string;
  /** Resolves when the person has been sent on; rejects when there is no use in waiting any more. */
  finished: Promise<void>;
}

interface Options {
  /** 0: any free one. */
  port: number;
  /** How long the address is good, and how long the forge's answer is waited for (ms). */
  openMs: number;
  returnMs: number;
  form(redirectUrl: string, state: string): { action: string; manifest: string };
  /** Takes what a code stands for into possession; answers where the person goes on. */
  take(code: string): Promise<string>;
}

const RETURN_PATH = "/created";

/** What the set-up waits for; each is over for good when it has come. */
interface Waiting {
  token: string | null;
  state: string | null;
}

export async function openSetupPage(options: Options): Promise<SetupPage> {
  const waiting: Waiting = { token: secretText(), state: null };
  const finished = Promise.withResolvers<void>();
  // Whoever waits for it hears of it all the same.
  finished.promise.catch(() => undefined);
  let timer = setTimeout(giveUp, options.openMs, "nobody has opened the page in time");

  function giveUp(why: string): void {
    finished.reject(new Error(why));
  }

  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      page(response, 500, ["Something went wrong; the terminal says what."]);
      finished.reject(error instanceof Error ? error : new Error(String(error)));
    });
  });
  server.listen(options.port, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("the page has no port");
  const own = `127.0.0.1:${bound.port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, headers, url = "/" } = request;
    // Another name that leads to this address is another's page.
    if (headers.host !== own) return page(response, 403, ["This page has another address."]);
    if (method !== "GET") return page(response, 405, ["There is nothing to be sent here."]);
    const { pathname, searchParams } = new URL(url, `http://${own}`);
    if (pathname === "/") return show(response, searchParams.get("token") ?? "");
    if (pathname === RETURN_PATH) return await comeBack(response, searchParams);
    return page(response, 404, ["There is no such page."]);
  }

  function show(response: ServerResponse, token: string): void {
    if (waiting.token === null || !isSame(token, waiting.token))
      return page(response, 403, ["This address is not good, or not any more."]);
    waiting.token = null;
    waiting.state = secretText();
    clearTimeout(timer);
    timer = setTimeout(giveUp, options.returnMs, "GitHub has not sent anybody back in time");
    const { action, manifest } = options.form(`http://${own}${RETURN_PATH}`, waiting.state);
    const button = "Make the GitHub App";
    const text = "GitHub shows what the App may do, and asks for its name.";
    return page(response, 200, [text], { action, manifest, button });
  }

  async function comeBack(response: ServerResponse, query: URLSearchParams): Promise<void> {
    const { state } = waiting;
    const code = query.get("code") ?? "";
    if (state === null || code === "" || !isSame(query.get("state") ?? "", state))
      return page(response, 403, ["This is not the answer that is waited for."]);
    waiting.state = null;
    try {
      const location = await options.take(code);
      response.writeHead(302, { ...HEADERS, location });
      response.end(() => finished.resolve());
    } catch (error) {
      const again = error instanceof HubError && error.retryable;
      const message = error instanceof HubError ? error.message : "The App could not be kept";
      page(response, 502, [
        `${message}.`,
        again ? "Reload this page to try again." : "Begin anew.",
      ]);
      // The code is still good when nobody has heard it.
      if (again) waiting.state = state;
      else finished.reject(error instanceof Error ? error : new Error(message));
    }
  }

  return {
    address: `http://${own}/?token=${waiting.token}`,
    finished: finished.promise,
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      await closed;
    },
  };
}

const HEADERS = {
  "cache-control": "no-store",
  connection: "close",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

function page(
  response: ServerResponse,
  status: number,
  lines: string[],
  form?: { action: string; manifest: string; button: string },
): void {
  const to = form === undefined ? "'none'" : new URL(form.action).origin;
  response.writeHead(status, {
    ...HEADERS,
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": `default-src 'none'; style-src 'unsafe-inline'; form-action ${to}; frame-ancestors 'none'; base-uri 'none'`,
  });
  response.end(setupHtml(lines, form));
}

function secretText(): string {
  return randomBytes(32).toString("base64url");
}

/** In a time that says nothing of where they differ. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(hashOf(one), hashOf(other));
}

function hashOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
