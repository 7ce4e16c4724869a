import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { z } from "zod";
import { packArchive } from "../../../src/runtimes/docker/archive.ts";
import type { TestEngine } from "./engine.ts";
import { listenOnLoopback } from "../network/loopback.ts";
import { createTempDir } from "../temp-dir.ts";

const run = promisify(execFile);
const Saved = z.array(z.object({ Config: z.string(), Layers: z.array(z.string()) }));
const MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIG = "application/vnd.docker.container.image.v1+json";
const LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/** An image registry on loopback that has one image: the tests' own with something on top. */
export interface TestRegistry extends AsyncDisposable {
  /** As `docker pull` takes it. */
  image: string;
  /** Layers that were fetched, as often as they were. */
  fetched: readonly string[];
  /** Waits so long before each layer. */
  delay(ms: number): void;
}

const Facts = z.looseObject({
  rootfs: z.looseObject({ diff_ids: z.array(z.string()) }),
  history: z.unknown(),
});

type Keep = (blob: Buffer, mediaType: string) => { digest: string };

function keepLayer(tar: Buffer, keep: Keep): object {
  return keep(gzipSync(tar, { level: 1 }), LAYER);
}

function digestOf(blob: Buffer): string {
  return `sha256:${createHash("sha256").update(blob).digest("hex")}`;
}

export async function createRegistry({ address, image }: TestEngine): Promise<TestRegistry> {
  await using temp = await createTempDir("registry");
  const archive = join(temp.path, "image.tar");
  await run("docker", ["--host", address, "save", "--output", archive, image]);
  await run("tar", ["-xf", archive, "-C", temp.path]);
  const [saved] = Saved.parse(JSON.parse(await readFile(join(temp.path, "manifest.json"), "utf8")));
  if (saved === undefined) throw new Error("there is no image in the archive");
  const blobs = new Map<string, Buffer>();
  const keep = (blob: Buffer, mediaType: string) => {
    const digest = digestOf(blob);
    blobs.set(digest, blob);
    return { mediaType, size: blob.length, digest };
  };
  const layers: object[] = [];
  for (const layer of saved.Layers)
    layers.push(keepLayer(await readFile(join(temp.path, layer)), keep));
  // One that no engine has yet: the others may be there already, and are not fetched then.
  const name = randomBytes(8).toString("hex");
  const added = packArchive({ [`added-${name}`]: name }, { uid: 0, gid: 0 });
  layers.push(keepLayer(added, keep));
  const facts = Facts.parse(JSON.parse(await readFile(join(temp.path, saved.Config), "utf8")));
  facts.rootfs.diff_ids.push(digestOf(added));
  facts.history = [];
  const config = keep(Buffer.from(JSON.stringify(facts)), CONFIG);
  const text = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers });
  const manifest = keep(Buffer.from(text), MANIFEST);
  const fetched: string[] = [];
  let delayMs = 0;

  // The part of the protocol that a pull needs. Source: distribution's "HTTP API V2".
  const server = createServer((req, res) => {
    const path = req.url ?? "";
    const [, digest = ""] = /\/(?:blobs|manifests)\/(sha256:[0-9a-f]{64})$/.exec(path) ?? [];
    const isManifest = path.includes("/manifests/");
    const blob = isManifest ? blobs.get(manifest.digest) : blobs.get(digest);
    if (path === "/v2/") res.writeHead(200).end("{}");
    else if (blob === undefined) res.writeHead(404).end();
    else {
      if (!isManifest && req.method === "GET" && digest !== config.digest) fetched.push(digest);
      pause(isManifest ? 0 : delayMs).then(
        () =>
          res
            .writeHead(200, {
              "content-type": isManifest ? MANIFEST : "application/octet-stream",
              "content-length": blob.length,
              "docker-content-digest": isManifest ? manifest.digest : digest,
            })
            .end(req.method === "HEAD" ? undefined : blob),
        () => res.destroy(),
      );
    }
  });
  const { url, close } = await listenOnLoopback(server);
  return {
    image: `${new URL(url).host}/team/agent:1`,
    fetched,
    delay: (ms) => (delayMs = ms),
    [Symbol.asyncDispose]: close,
  };
}
