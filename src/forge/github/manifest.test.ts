import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { APP_EVENTS, APP_PERMISSIONS, appManifest, registrationUrl } from "./manifest.ts";

function named(name: string): string {
  return name.replaceAll("_", " ").toLowerCase();
}

test("who makes the App by hand is told of the same permissions and events", async () => {
  const guide = await readFile(join(import.meta.dirname, "../../../docs/github.md"), "utf8");
  const part = /### By hand[^]*?2\. Generate/.exec(guide)?.[0].toLowerCase() ?? "";
  for (const name of Object.keys(APP_PERMISSIONS).filter((one) => one !== "metadata"))
    expect(part).toContain(named(name));
  for (const name of APP_EVENTS) expect(part.replaceAll(/\s+/g, " ")).toContain(named(name));
});

test("the manifest asks for what sessions may do, and for no more", () => {
  const usual = { name: null, hubUrl: "https://hub/", redirectUrl: "http://127.0.0.1:1/created" };
  const without = appManifest({ ...usual, workflows: false });
  expect(without["default_permissions"]).toEqual(APP_PERMISSIONS);
  expect(without).not.toHaveProperty("name");
  expect(without["hook_attributes"]).toEqual({
    url: "https://hub/api/webhooks/github",
    active: true,
  });
  const more = appManifest({ ...usual, name: "Our Bot", workflows: true });
  expect(more).toMatchObject({ name: "Our Bot", default_permissions: { workflows: "write" } });
});

test("an App belongs to a person or to an organisation, at any server", () => {
  expect(registrationUrl("https://github.com", null, "s")).toBe(
    "https://github.com/settings/apps/new?state=s",
  );
  expect(registrationUrl("https://git.example.com/", "an org", "s")).toBe(
    "https://git.example.com/organizations/an%20org/settings/apps/new?state=s",
  );
});
