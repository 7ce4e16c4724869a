import { randomBytes } from "node:crypto";
import type { RuntimeAbilities, RuntimeCheck } from "../runtime.ts";
import { makeContainer, putBelongings, removeAll } from "./belongings.ts";
import { INSIDE } from "./confinement.ts";
import type { Image } from "./engine.ts";
import { ownerOfHub, PROBE } from "./labels.ts";
import type { Parts } from "./parts.ts";

const LIMITS = { memoryBytes: 268_435_456, processes: 64 };
const NODE_MAJOR = 24;
const LINES = 20;

/** What every session needs, looked at from inside: each line that it prints is a reason why there can be none. */
const SCRIPT = `const fs = require("node:fs");
const need = (reason, work) => { try { work(); } catch (error) { console.log(reason + " (" + error.message + ")"); } };
need("the image has Node.js " + process.versions.node + ", and the runner needs ${NODE_MAJOR}", () => {
  if (Number.parseInt(process.versions.node, 10) < ${NODE_MAJOR}) throw new Error("too old");
});
need("the runner cannot be read inside", () => fs.accessSync("${INSIDE.runner}", fs.constants.R_OK));
need("the directory of the gateway cannot be entered inside", () => fs.accessSync("${INSIDE.gateway}", fs.constants.X_OK));
need("the workspace cannot be written to", () => fs.writeFileSync("${INSIDE.workspace}/probe", ""));
need("sessions would run as root", () => { if (process.getuid() === 0) throw new Error("user 0"); });`;

/** Whether sessions can run in containers here. A real container is made for a moment, once for each image. */
export function createCheck(connected: () => Promise<Parts>): () => Promise<RuntimeCheck> {
  let probed = "";

  /** Answers why it cannot be done; rejects where the engine says why. */
  async function obstacle(parts: Parts): Promise<string | RuntimeAbilities> {
    const { engine, host } = parts;
    const info = await engine.info();
    if (info.OSType !== "linux") return `the container engine runs ${info.OSType} containers`;
    const image = await parts.images.provide(host.containers.image, () => undefined);
    if (probed !== image.id) {
      const reason = await probe(parts, image);
      if (reason !== "") return `a container was made, but ${reason}`;
      probed = image.id;
    }
    const { MemoryLimit: memoryLimit, PidsLimit: processLimit } = info;
    return { isolation: "container", memoryLimit, processLimit };
  }

  return async () => {
    try {
      const found = await obstacle(await connected());
      return typeof found === "string"
        ? { available: false, reason: found }
        : { available: true, abilities: found };
    } catch (error) {
      return { available: false, reason: error instanceof Error ? error.message : String(error) };
    }
  };
}

async function probe(parts: Parts, image: Image): Promise<string> {
  const { engine, host } = parts;
  const owner = { label: PROBE, value: ownerOfHub(host.containers.hubId) };
  // Those of a hub that was killed meanwhile.
  const label = `${owner.label}=${owner.value}`;
  const left = [
    ...(await engine.containers(label)).map(({ name }) => name),
    ...(await engine.volumes(label)),
  ];
  for (const name of left) await removeAll(parts, name, owner);
  const name = `claude-hub-probe-${randomBytes(6).toString("hex")}`;
  const command = ["node", "-e", SCRIPT];
  try {
    const imageName = host.containers.image;
    const made = { name, image, imageName, owner, command };
    const wanted = { ...made, limits: LIMITS, labels: {}, marks: {} };
    const container = await makeContainer(parts, wanted);
    await putBelongings(parts, container);
    const { id } = container;
    await engine.feedAndStart(id, "\n");
    const exitCode = await engine.exit(id);
    const said = (await engine.lines(id, LINES)).trim();
    return said === "" && exitCode !== 0 ? `it ended with exit code ${exitCode}` : said;
  } finally {
    await removeAll(parts, name, owner);
  }
}
