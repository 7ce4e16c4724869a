import { inject } from "vitest";
import { z } from "zod";
import { findEngine } from "../runtimes/engine.ts";
import type { TestEngine } from "../runtimes/engine.ts";
import { openHouse, session } from "../hub/house.ts";
import type { House } from "../hub/house.ts";
import { standIn } from "../agent/stand-in.ts";
import type { StandInStep } from "../agent/stand-in.ts";

/** One of the runtimes that isolate. */
export interface Confined {
  name: "bubblewrap" | "docker";
  engine?: TestEngine;
}

const { engines, reason } = await findEngine(inject("engineDir"));
/** Null: attacks are tried in containers as well. */
export const noContainers = reason;
export const CONFINED: Confined[] = [
  { name: "bubblewrap" },
  ...engines.map((engine) => ({ name: "docker" as const, engine })),
];

export async function openConfined(
  { name, engine }: Confined,
  env: Record<string, string> = {},
): Promise<House> {
  return await openHouse({
    runtime: name,
    embedded: true,
    env: { CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "4", ...env },
    ...(engine === undefined ? {} : { engine }),
  });
}

/** Has an agent take these steps, and tells all that came of it. */
export async function attack(
  { hub }: House,
  steps: StandInStep[],
  more: Record<string, unknown> = {},
) {
  const made = await hub.create(session(`Work.\n${standIn(...steps)}`, more));
  await hub.start(made.id);
  const ended = await hub.until(made.id, { timeoutMs: 90_000 });
  const events = await hub.events(made.id);
  const outputs = events
    .filter(({ kind }) => kind === "tool.returned")
    .map(({ body }) => z.string().parse(body["text"]));
  return { ended, events, outputs, branch: `claude/implementation-${made.id.slice(-8)}` };
}

/** A session that harms nobody and must succeed while another one attacks. */
export async function neighbour({ hub }: House): Promise<() => Promise<void>> {
  const steps: StandInStep[] = [
    { lines: 40, everyMs: 50 },
    { write: { path: "fine.txt", content: "fine\n" } },
    { commit: "Be fine" },
    { model: {} },
  ];
  const made = await hub.create(session(`Neighbour.\n${standIn(...steps)}`));
  await hub.start(made.id);
  await hub.until(made.id, { statuses: ["running", "completed", "failed", "cancelled"] });
  return async () => {
    const ended = await hub.until(made.id);
    if (ended.status !== "completed")
      throw new Error(`the neighbour was hurt: ${ended.status} (${ended.error ?? ""})`);
  };
}
