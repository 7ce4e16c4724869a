import { expect, inject, test } from "vitest";
import { openSessionLife } from "../../../test/kit/hub/session-life.ts";
import type { TestLife } from "../../../test/kit/hub/session-life.ts";
import { waitFor } from "../../../test/kit/wait.ts";
import { upstreamFailed } from "../../core/errors.ts";
import { RepositorySettings } from "../../core/repository-settings.ts";
import { NewSession } from "../../core/session.ts";

const serverUrl = inject("databaseServer");
const IMAGE = "team/agent:1";
const AWAY = "The forge could not be reached";
const LONG = { timeoutMs: 30_000 };

/** Sessions of a repository that asks for an image which it may have, and whose forge can be away. */
async function openForge(more: { forgeWaitMs?: number } = {}) {
  const forge = { isAway: true, isMade: false, images: [] as (string | undefined)[] };
  const house = await openSessionLife({
    serverUrl,
    settings: { allowedImages: [IMAGE], ...more },
    async repositorySettings() {
      if (forge.isAway) throw upstreamFailed("forge", new Error("502"));
      return { settings: RepositorySettings.parse({ image: IMAGE }), fault: null };
    },
    runtime: {
      inspect: async () => (forge.isMade ? "running" : "absent"),
      async ensure({ image }) {
        forge.images.push(image);
        return forge.isMade ? "adopted" : "created";
      },
    },
  });
  return { house, forge };
}

async function started({ life }: TestLife): Promise<string> {
  const project = { repository: "octo/greeter", requirements: "Do it." };
  const { id } = await life.sessions.create(NewSession.parse({ type: "implementation", project }));
  await life.sessions.start(id);
  return id;
}

async function told({ database }: TestLife, id: string) {
  const rows = await database.db
    .selectFrom("events")
    .select(["kind", "body"])
    .where("session_id", "=", id)
    .where("kind", "in", ["repository.awaited", "settings.refused"])
    .execute();
  return rows.map(({ kind, body }) => [kind, body]);
}

test("while the forge is away nobody knows the image: the session waits, says so once, and has it then", async () => {
  const { house, forge } = await openForge();
  await using _ = house;
  const id = await started(house);
  const ensured = house.life.steps.ensure(id);
  const awaited = [["repository.awaited", { reason: AWAY }]];
  await waitFor(async () => (await told(house, id)).length > 0, LONG);
  expect(forge.images).toEqual([]);
  forge.isAway = false;
  expect(await ensured).toBeGreaterThan(Date.now());
  expect(forge.images).toEqual([IMAGE]);
  expect(await told(house, id)).toEqual(awaited);

  // What is there already stays as it is.
  Object.assign(forge, { isAway: true, isMade: true });
  expect(await house.life.steps.ensure(id)).not.toBeNull();
  expect(forge.images).toEqual([IMAGE, undefined]);
  // What else the repository asks for is not left out, either.
  await expect(house.job(id)).rejects.toMatchObject({ code: "upstream_failed" });

  forge.isMade = false;
  const other = await started(house);
  const inVain = house.life.steps.ensure(other);
  await waitFor(async () => (await told(house, other)).length > 0, LONG);
  await house.life.sessions.cancel(other);
  expect(await inVain).toBeNull();
  expect(forge.images).toHaveLength(2);
});

test("a forge that stays away for too long is named as what the session has failed for", async () => {
  const { house, forge } = await openForge({ forgeWaitMs: 0 });
  await using _ = house;
  const id = await started(house);
  expect(await house.life.steps.ensure(id)).toBeNull();
  await house.life.steps.settle(id, { lastWords: "" });
  expect(await house.life.sessions.get(id)).toMatchObject({
    status: "failed",
    error: `The sandbox could not be made: ${AWAY} for 0 s`,
  });
  expect(forge.images).toEqual([]);
});
