import pino from "pino";
import { expect, test } from "vitest";
import { HubError } from "../src/core/errors.ts";
import { Secret } from "../src/core/secret.ts";
import { createGitHub as createForge } from "../src/forge/github/github.ts";
import { createGitHub } from "./kit/github/github.ts";
import type { Permissions } from "./kit/github/state.ts";

const COMMENT = "/repos/{owner}/{repo}/issues/comments/{comment_id}";

/** As it is configured by default, with an App that is installed at two accounts. */
async function openPlace(permissions?: Permissions) {
  await using parts = new AsyncDisposableStack();
  const github = parts.use(await createGitHub({ secondaryLimits: true }));
  const app = github.app(permissions === undefined ? {} : { permissions });
  const comments = new Map<string, number>();
  for (const name of ["octo/one", "octo/two", "other/three"]) {
    await github.repository(name, { files: { "a.txt": "a\n" }, collaborators: { ada: "write" } });
    const { number } = await github.as("ada").openIssue(name, { title: "It", body: "" });
    comments.set(name, (await github.as("ada").comment(name, number, "Hm")).id);
  }
  for (const owner of ["octo", "other"]) github.install(app, owner);
  const forge = createForge({
    apiUrl: github.apiUrl,
    identity: { appId: app.id, privateKey: new Secret(app.privateKey) },
    timeoutMs: 20_000,
    throttle: true,
    written: { begin: () => Promise.resolve("never"), done: () => Promise.resolve() },
    log: pino({ enabled: false }),
  });
  const all = parts.move();
  return {
    github,
    at: (name: string) => ({ repository: forge.repository(name), id: comments.get(name) ?? 0 }),
    sent: (method: string) =>
      github.requests.filter((one) => one.method === method && one.kind === "api"),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

test("writes of all repositories of an installation share a row, which a reaction passes", async () => {
  await using place = await openPlace();
  // Every answer takes a while, so that two at once would be seen.
  place.github.fault({ method: "PATCH", path: COMMENT, delayMs: 200, times: 100, applied: true });
  const startedAt = performance.now();
  const edit = (name: string, text: string) => {
    const { repository, id } = place.at(name);
    return repository.edit({ id, kind: "thread", key: text }, text);
  };
  const row = ["octo/one", "octo/two", "octo/one", "octo/two", "octo/one", "octo/two"].map((name) =>
    edit(name, "more"),
  );
  const { repository, id } = place.at("octo/two");
  await repository.react({ kind: "comment", id }, "eyes");
  const before = place.sent("PATCH").filter(({ path }) => path.includes("octo"));
  expect(before.length).toBeLessThan(6);
  // Another account's row is empty.
  await edit("other/three", "three");
  await Promise.all(row);
  // Five pauses of a second, whatever the machine does.
  expect(performance.now() - startedAt).toBeGreaterThan(4_990);
  const edits = place.sent("PATCH");
  const third = edits.findIndex(({ path }) => path.includes("three"));
  expect(third).toBeLessThan(edits.length - 1);
  expect(new Set(edits.map(({ status }) => status))).toEqual(new Set([200]));
});

test("reads that fail on GitHub's side are tried again, and writes are not", async () => {
  await using place = await openPlace();
  const { repository, id } = place.at("octo/one");
  const path = COMMENT;
  place.github.fault({ method: "GET", path, status: 502, times: 2 });
  expect(await repository.comment(id)).toMatchObject({ id });
  place.github.fault({ method: "GET", path, reset: true, times: 1 });
  expect(await repository.comment(id)).toMatchObject({ id });
  const lasting = place.github.fault({ method: "GET", path, status: 503, times: 100 });
  await expect(repository.comment(id)).rejects.toMatchObject({ code: "upstream_failed" });
  lasting.clear();
  expect(place.sent("GET").filter(({ route }) => route === path)).toHaveLength(3 + 2 + 3);
  place.github.fault({ method: "PATCH", path, status: 502, times: 1 });
  const edited = repository.edit({ id, kind: "thread", key: "k" }, "text");
  await expect(edited).rejects.toMatchObject({ code: "upstream_failed" });
  expect(place.sent("PATCH")).toHaveLength(1);
});

test("a long pause is kept for the whole installation, and for no other", async () => {
  await using place = await openPlace();
  const { repository, id } = place.at("octo/one");
  const other = place.at("octo/two");
  place.github.fault({ method: "GET", path: COMMENT, status: 403, retryAfter: 60, times: 1 });
  await expect(repository.comment(id)).rejects.toMatchObject({
    code: "rate_limited",
    retryAfterSeconds: 60,
  });
  const comments = () => place.sent("GET").filter(({ route }) => route === COMMENT);
  const error: unknown = await other.repository.comment(other.id).catch((one: unknown) => one);
  if (!(error instanceof HubError)) throw new Error("it was asked in the pause");
  expect(error.retryAfterSeconds ?? 0).toBeGreaterThan(30);
  expect(comments()).toHaveLength(1);
  const third = place.at("other/three");
  expect(await third.repository.comment(third.id)).toMatchObject({ id: third.id });
});

test("a short pause is waited for", async () => {
  await using place = await openPlace();
  const { repository, id } = place.at("octo/one");
  place.github.fault({ method: "PATCH", path: COMMENT, status: 429, retryAfter: 1, times: 1 });
  expect(await repository.edit({ id, kind: "thread", key: "k" }, "text")).toBe(true);
  expect(place.sent("PATCH").map(({ status }) => status)).toEqual([429, 200]);
});

test("an App that lacks a permission is told so, and where to look", async () => {
  await using place = await openPlace({ contents: "read" });
  const { repository, id } = place.at("octo/one");
  await expect(repository.comment(id)).rejects.toMatchObject({
    code: "forbidden",
    message: "The GitHub App lacks permissions that the hub needs",
    hint: "claude-hub github status says which",
  });
});
