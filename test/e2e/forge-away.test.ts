import { expect, test } from "vitest";
import { openHouse, session } from "../kit/hub/house.ts";
import type { TestHub } from "../kit/hub/hub.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const WAIT_S = 15;
const AWAY = { reason: "The forge could not be reached" };
const WORK = standIn({ result: { summary: "It is done." } });

async function started(hub: TestHub, more: Record<string, unknown> = {}): Promise<string> {
  const { id } = await hub.create(session(`Work.\n${WORK}`, more));
  await hub.start(id);
  return id;
}

async function told(hub: TestHub, id: string): Promise<void> {
  await waitFor(
    async () => (await hub.events(id)).some(({ kind }) => kind === "repository.awaited"),
    { timeoutMs: 60_000, what: "the log to say that the session waits" },
  );
}

async function awaited(hub: TestHub, id: string) {
  const events = await hub.events(id);
  return events.filter(({ kind }) => kind === "repository.awaited").map(({ body }) => body);
}

test(
  "a session waits for a forge that is away, says so once, and names it where it stays away",
  { timeout: 240_000 },
  async () => {
    await using house = await openHouse({
      env: {
        CLAUDE_HUB_FORGE_WAIT_MS: String(WAIT_S * 1_000),
        // Otherwise what the first session has read may do for the next ones, and they begin.
        CLAUDE_HUB_MIRROR_MAX_AGE_MS: "0",
        CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "3",
      },
    });
    const { hub, forge } = house;
    forge.fail(502);
    const patient = await started(hub);
    await told(hub, patient);
    expect(await hub.claude({ type: "session.get", sessionId: patient })).toMatchObject({
      body: { data: { session: { status: "initializing" } } },
    });
    forge.fail(null);
    expect(await hub.until(patient)).toMatchObject({ status: "completed", error: null });
    expect(await awaited(hub, patient)).toEqual([AWAY]);

    forge.fail(502);
    const inVain = await started(hub);
    const short = await started(hub, { options: { timeout: 5 } });
    await told(hub, inVain);
    // It counts from when the log has said so, whichever hub asks.
    await hub.kill();
    await hub.restart();
    expect(await hub.until(short)).toMatchObject({
      status: "failed",
      error: `The time limit of 5 s was reached: ${AWAY.reason}`,
    });
    expect(await hub.until(inVain)).toMatchObject({
      status: "failed",
      error: `${AWAY.reason} for ${WAIT_S} s`,
    });
    expect(await awaited(hub, inVain)).toEqual([AWAY]);
    const kinds = (await hub.events(inVain)).map(({ kind }) => kind);
    expect(kinds).not.toContain("agent.started");
  },
);
