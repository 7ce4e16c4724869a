import { describe, expect, test } from "vitest";
import { CONFINED, noContainers } from "../kit/attacks/attack.ts";
import { openHouse, session } from "../kit/hub/house.ts";
import type { House } from "../kit/hub/house.ts";
import { createRegistry } from "../kit/runtimes/registry.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

async function repository({ forge }: House, name: string, settings: string): Promise<string> {
  await forge.repository(name, { "README.md": "hello\n", ".github/claude-hub.yml": settings });
  return name;
}

async function start({ hub }: House, name: string, requirements = "Work.") {
  const project = { repository: name, requirements };
  const made = await hub.create({ ...session(""), project });
  await hub.start(made.id);
  return made;
}

const engines = CONFINED.flatMap(({ engine }) => (engine === undefined ? [] : [{ engine }]));

test.skipIf(noContainers !== null)(
  `images have an engine (skipped where no container engine can be started: ${noContainers ?? ""})`,
  () => expect(engines).not.toEqual([]),
);

describe.each(engines)("images that repositories name", ({ engine }) => {
  test(
    "a repository's image is fetched once for all who wait for it, and that is told",
    {
      timeout: 120_000,
    },
    async () => {
      await using registry = await createRegistry(engine);
      const { image } = registry;
      const env = { CLAUDE_HUB_ALLOWED_IMAGES: `other/image:1, ${image}` };
      await using house = await openHouse({ runtime: "docker", engine, env });
      const { hub } = house;
      registry.delay(1_000);
      const name = await repository(house, "octo/pictured", `image: ${image}\n`);
      const wait = `Wait.\n${standIn({ sleepMs: 60_000 })}`;
      house.forge.fail(502);
      const both = [await start(house, name, wait), await start(house, name, wait)];
      const kindsOf = async (id: string) => (await hub.events(id)).map(({ kind }) => kind);
      // Nobody knows the image by now, and the usual one would not do.
      for (const { id } of both)
        await waitFor(async () => (await kindsOf(id)).includes("repository.awaited"), {
          timeoutMs: 60_000,
        });
      house.forge.fail(null);
      for (const { id } of both) {
        await hub.until(id, { statuses: ["running"] });
        const events = await hub.events(id);
        const kinds = events.map(({ kind }) => kind);
        expect(kinds.indexOf("image.pulling")).toBeGreaterThan(kinds.indexOf("repository.awaited"));
        expect(kinds).not.toContain("settings.refused");
        expect(kinds.indexOf("image.pulled")).toBeGreaterThan(kinds.indexOf("image.pulling"));
        expect(events.find(({ kind }) => kind === "image.pulled")?.body["image"]).toBe(image);
      }
      expect(new Set(registry.fetched).size).toBe(registry.fetched.length);
      expect(registry.fetched).not.toEqual([]);
      const [first] = both;
      const facts = await engine.client.getContainer(first?.containerId ?? "").inspect();
      expect(facts.Config.Image).toBe(image);
      for (const { id } of both)
        await hub.fetch(`/api/v1/sessions/${id}/cancel`, { method: "POST" });
      for (const { id } of both) await hub.until(id);
      await waitFor(() =>
        engine.client
          .getImage(image)
          .remove({ force: true })
          .then(() => true),
      );
    },
  );

  test.each([
    ["image: evil/image:1\n", "the image evil/image:1 is not allowed here"],
    ["image: 'a b'\n", ".github/claude-hub.yml does not fit: image: must be the name of an image"],
    ["imgae: x\n", '.github/claude-hub.yml does not fit: Unrecognized key: "imgae"'],
  ])("of %j nothing counts, which is told, and the usual image serves", async (file, reason) => {
    const env = { CLAUDE_HUB_ALLOWED_IMAGES: "other/image:1" };
    await using house = await openHouse({ runtime: "docker", engine, env });
    const made = await start(house, await repository(house, "octo/wrong", file));
    expect(await house.hub.until(made.id)).toMatchObject({ status: "completed" });
    const events = await house.hub.events(made.id);
    expect(
      events.filter(({ kind }) => kind === "settings.refused").map(({ body }) => body),
    ).toEqual([{ path: ".github/claude-hub.yml", reason }]);
  });

  test("an image that cannot be fetched fails the session in the registry's own words", async () => {
    const image = "127.0.0.1:1/team/agent:1";
    const env = { CLAUDE_HUB_ALLOWED_IMAGES: image };
    await using house = await openHouse({ runtime: "docker", engine, env });
    const made = await start(house, await repository(house, "octo/away", `image: ${image}\n`));
    const ended = await house.hub.until(made.id);
    expect(ended.status).toBe("failed");
    expect(ended.error).toMatch(/127\.0\.0\.1:1.*refused/);
  });

  test("an image without a registry in its name is never looked for outside", async () => {
    const image = "nobody/has-this:1";
    const env = { CLAUDE_HUB_ALLOWED_IMAGES: image };
    await using house = await openHouse({ runtime: "docker", engine, env });
    const made = await start(house, await repository(house, "octo/local", `image: ${image}\n`));
    const ended = await house.hub.until(made.id);
    expect(ended).toMatchObject({ status: "failed" });
    expect(ended.error).toContain("the image nobody/has-this:1 is not there");
  });
});
