import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { attack, CONFINED, openConfined } from "../kit/attacks/attack.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { HUB_SECRET } from "../kit/hub/hub.ts";

const thief = await readFile(join(import.meta.dirname, "../kit/attacks/token-thief.mjs"), "utf8");

/** Says this to the hub in the runner's place. @param token A word of the shell. */
const pretend = (token: string, kind: string) => ({
  run: `node -e '
    const events = [{ seq: 1e6, at: new Date().toISOString(), kind: process.argv[2], body: {} }];
    require("node:http").request({ socketPath: "/run/claude-hub/hub.sock", path: "/runner/events", method: "POST",
      headers: { authorization: "Bearer " + process.argv[1], "content-type": "application/json" } }, (res) => {
        console.log("answered", res.statusCode); process.exit();
      }).end(JSON.stringify({ events }));' -- ${token} ${kind}`,
});

describe.each(CONFINED)("the gateway's socket, from a sandbox of $name", (runtime) => {
  test("opens for no token but a living session's own", { timeout: 60_000 }, async () => {
    await using house = await openConfined(runtime);
    const { hub } = house;
    // What the sandbox sees of its own start is all that an agent could find a token in.
    const socket = "/run/claude-hub/hub.sock";
    const ask = (token: string) =>
      `node -e 'require("node:http").get({ socketPath: "${socket}", path: "/runner/job", headers: { authorization: "Bearer ${token}" } }, (res) => { console.log("answered", res.statusCode); process.exit(); }).on("error", (error) => console.log(error.code))'`;
    const { outputs } = await attack(house, [
      { run: ask("x".repeat(43)) },
      { run: ask("") },
      { run: ask(HUB_SECRET) },
      {
        run: "cat /proc/*/cmdline /proc/*/environ 2>/dev/null | tr '\\0' '\\n' | grep -cE '^[A-Za-z0-9_-]{43}$'",
      },
    ]);
    expect(outputs.slice(0, 3)).toEqual(Array.from({ length: 3 }, () => "answered 401"));
    expect(outputs[3]).toMatch(/^(Exit code 1\n)?0$/);
    // Refused, and not for a fault of the hub.
    expect(hub.output()).not.toContain('"level":50');
  });
});

describe.each(CONFINED)("a session's real token, in a sandbox of $name", (runtime) => {
  test("can be read by its own agent, is void at the end, and never speaks for the hub", async () => {
    await using house = await openConfined(runtime);
    const lies = ["session.completed", "branch.pushed", "door.refused", "budget.exceeded"];
    const { ended, events, outputs, branch } = await attack(house, [
      { write: { path: "/tmp/thief.mjs", content: thief } },
      { run: "node /tmp/thief.mjs > token.txt 2>/tmp/errors" },
      ...lies.map((kind) => pretend('"$(cat token.txt)"', kind)),
      { commit: "Take the token along" },
    ]);
    expect(ended).toMatchObject({ status: "completed", error: null });
    const token = await house.forge.git(REPOSITORY, "show", `${branch}:token.txt`);
    // The named exception `token-in-memory`.
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(outputs.slice(-1 - lies.length, -1)).toEqual(lies.map(() => "answered 400"));
    expect(events.filter(({ kind }) => kind === "session.completed")).toHaveLength(1);
    // Another session, with the token of one that has ended.
    const later = await attack(house, [
      pretend(`"${token}"`, "agent.printed"),
      { run: "echo fine" },
    ]);
    expect(later.outputs).toEqual(["answered 410", "fine"]);
  });
});
