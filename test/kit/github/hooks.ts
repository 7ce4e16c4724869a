import { createHmac, randomUUID } from "node:crypto";
import { userBody } from "./present/people.ts";
import { repositoryBody } from "./present/repository.ts";
import type { App, Delivery, Hook, Installation, Json, Repository, User } from "./state.ts";
import { nextId, reaches, stamp } from "./world.ts";
import type { World } from "./world.ts";

const KEPT = 10_000;
const ANSWER_LIMIT = 65_536;
/** An App hears of these without having asked. */
const UNASKED = new Set(["installation", "installation_repositories", "ping"]);

export interface Event {
  name: string;
  action?: string;
  sender: User;
  repository?: Repository | undefined;
  installation?: Installation | undefined;
  /** GitHub tells some things only to the App that they concern. */
  only?: App | undefined;
  payload?: Json;
}

export interface Hooks {
  emit(event: Event): void;
  ping(hook: Hook, sender: User, repository: Repository | undefined): void;
  /** Sends a delivery once more, under the same GUID. */
  redeliver(hook: Hook, delivery: Delivery): void;
  /** Resolves when everything that was to be sent has been answered or has failed. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** Delivers webhooks by HTTP: signed, logged, in order for each hook, once. */
export function createHooks(world: World, { timeoutMs }: { timeoutMs: number }): Hooks {
  const queues = new Map<Hook, Promise<void>>();
  const stopped = new AbortController();

  function enqueue(hook: Hook, delivery: Delivery): void {
    const before = queues.get(hook) ?? Promise.resolve();
    const sent = before.then(async () => await send(hook, delivery));
    queues.set(hook, sent);
  }

  async function send(hook: Hook, delivery: Delivery): Promise<void> {
    if (stopped.signal.aborted) return;
    hook.deliveries.push(delivery);
    if (hook.deliveries.length > KEPT) hook.deliveries.shift();
    const start = performance.now();
    const settle = (statusCode: number, status: string) => {
      delivery.statusCode = statusCode;
      delivery.status = status;
      delivery.durationSeconds = Math.round(performance.now() - start) / 1_000;
    };
    const body = JSON.stringify(delivery.request.payload);
    // Signed anew each time: a redelivery after a change of the secret has the new one.
    delivery.request = { ...delivery.request, headers: headersOf(hook, delivery, body) };
    if (!isLoopback(hook.url)) {
      settle(502, "failed to connect to host");
      return;
    }
    try {
      const answer = await fetch(hook.url, {
        method: "POST",
        headers: delivery.request.headers,
        body,
        redirect: "manual",
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), stopped.signal]),
      });
      const text = await answer.text();
      delivery.response = {
        headers: Object.fromEntries(answer.headers),
        payload: text.slice(0, ANSWER_LIMIT),
      };
      settle(answer.status, answer.ok ? "OK" : `Invalid HTTP Response: ${answer.status}`);
    } catch (error) {
      const timedOut = error instanceof Error && error.name === "TimeoutError";
      settle(timedOut ? 504 : 502, timedOut ? "timed out" : "failed to connect to host");
    }
  }

  function dispatch(hook: Hook, event: Event, installation: Installation | null): void {
    const payload: Json = {
      ...(event.action === undefined ? {} : { action: event.action }),
      ...event.payload,
      ...(event.repository === undefined
        ? {}
        : { repository: repositoryBody(world, event.repository) }),
      sender: userBody(world, event.sender),
      ...(installation === null || event.payload?.["installation"] !== undefined
        ? {}
        : { installation: { id: installation.id, node_id: `INS_${installation.id}` } }),
    };
    enqueue(hook, {
      id: nextId(world),
      guid: randomUUID(),
      deliveredAt: stamp(world),
      redelivery: false,
      durationSeconds: 0,
      status: "pending",
      statusCode: 0,
      event: event.name,
      action: event.action ?? null,
      installationId: installation?.id ?? null,
      repositoryId: event.repository?.id ?? null,
      request: { headers: {}, payload },
      response: { headers: {}, payload: "" },
    });
  }

  return {
    emit(event) {
      for (const hook of event.only === undefined ? (event.repository?.hooks ?? []) : []) {
        if (wants(hook, event.name)) dispatch(hook, event, null);
      }
      for (const installation of world.installations) {
        const { app } = installation;
        const concerned =
          event.installation === undefined
            ? event.repository !== undefined && reaches(installation, event.repository)
            : event.installation === installation;
        if (!concerned || (event.only !== undefined && event.only !== app)) continue;
        if (installation.suspendedAt !== null && event.name !== "installation") continue;
        if (app.hook !== null && wants(app.hook, event.name))
          dispatch(app.hook, event, installation);
      }
    },
    ping(hook, sender, repository) {
      const payload = { zen: "Keep it logically awesome.", hook_id: hook.id, hook: {} };
      dispatch(hook, { name: "ping", sender, repository, payload }, null);
    },
    redeliver(hook, delivery) {
      enqueue(hook, {
        ...delivery,
        id: nextId(world),
        deliveredAt: stamp(world),
        redelivery: true,
      });
    },
    async settled() {
      for (;;) {
        const waiting = [...queues.values()];
        await Promise.all(waiting);
        if ([...queues.values()].every((each) => waiting.includes(each))) return;
      }
    },
    async close() {
      stopped.abort();
      await Promise.all(queues.values());
    },
  };
}

function wants(hook: Hook, event: string): boolean {
  if (!hook.active) return false;
  if (hook.target === "integration" && UNASKED.has(event)) return true;
  return event === "ping" || hook.events.includes("*") || hook.events.includes(event);
}

/** No packet of a test leaves the machine. */
function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  return /^127\.\d+\.\d+\.\d+$/.test(hostname) || ["localhost", "[::1]"].includes(hostname);
}

function signatureOf(secret: string, body: string, algorithm = "sha256"): string {
  return `${algorithm}=${createHmac(algorithm, secret).update(body).digest("hex")}`;
}

function headersOf(hook: Hook, delivery: Delivery, body: string): Record<string, string> {
  return {
    "content-type": "application/json",
    "user-agent": "GitHub-Hookshot/0000000",
    "x-github-delivery": delivery.guid,
    "x-github-event": delivery.event,
    "x-github-hook-id": String(hook.id),
    "x-github-hook-installation-target-id": String(hook.targetId),
    "x-github-hook-installation-target-type": hook.target,
    ...(hook.secret === ""
      ? {}
      : {
          "x-hub-signature": signatureOf(hook.secret, body, "sha1"),
          "x-hub-signature-256": signatureOf(hook.secret, body),
        }),
  };
}
