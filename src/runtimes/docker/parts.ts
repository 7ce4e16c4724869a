import { constants } from "node:fs";
import { access } from "node:fs/promises";
import type { RuntimeHost } from "../runtime.ts";
import { createAccounts } from "./account.ts";
import type { Account } from "./account.ts";
import { createDiskLimit } from "./disk.ts";
import type { DiskLimit } from "./disk.ts";
import { connectEngine } from "./engine.ts";
import type { Container, Engine } from "./engine.ts";
import { engineError } from "./failure.ts";
import { createImages } from "./images.ts";
import type { Images } from "./images.ts";
import { createOutages } from "./outages.ts";
import type { Outages } from "./outages.ts";
import { socketPathOf } from "./socket-path.ts";

/** What the runtime works with once there is an engine. */
export interface Parts {
  host: RuntimeHost;
  engine: Engine;
  outages: Outages;
  disk: DiskLimit;
  images: Images;
  accountOf(container: Container): Promise<Account>;
}

/** Connects when it is first needed. A failure is not kept, for the engine may be started meanwhile. */
export function createConnection(host: RuntimeHost): () => Promise<Parts> {
  let connecting: Promise<Parts> | undefined;

  return async () => {
    const attempt = (connecting ??= connect(host));
    try {
      return await attempt;
    } catch (error) {
      if (connecting === attempt) connecting = undefined;
      throw error;
    }
  };
}

async function connect(host: RuntimeHost): Promise<Parts> {
  const socketPath = socketPathOf(host.containers.engine);
  // Before anything is loaded that only a hub with an engine needs.
  await access(socketPath, constants.R_OK | constants.W_OK).catch((error: unknown) => {
    throw engineError(error, socketPath);
  });
  const outages = createOutages();
  const engine = await connectEngine(socketPath, outages);
  const disk = createDiskLimit(engine, host.containers.diskBytes);
  return {
    host,
    engine,
    outages,
    disk,
    images: createImages(engine),
    accountOf: createAccounts(engine),
  };
}
