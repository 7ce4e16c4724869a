import type { ServerResponse } from "node:http";
import type { Logger } from "pino";
import { forbidden, HubError } from "../../core/errors.ts";
import type { Deny } from "../denials.ts";
import { readPath } from "../request-path.ts";
import type { Door } from "../session.ts";
import { createPush } from "./push.ts";
import type { PushDeps, PushedRef } from "./push.ts";
import { createReceive } from "./receive.ts";
import { createSlots } from "./slots.ts";
import { createUpload } from "./upload.ts";

/** The git door: smart HTTP for the session's own repository, below `/git/<owner>/<name>.git/`. */
export function createGitDoor(
  options: PushDeps & {
    onPush(pushed: PushedRef): Promise<void>;
    /** Told of what the door turns away. */
    onDenial: Deny;
    log: Logger;
  },
): Door {
  const slots = createSlots({
    max: options.limits.maxChildren,
    maxWaiting: options.limits.maxWaiting,
    maxEach: Math.ceil(options.limits.maxChildren * options.limits.maxShare),
    maxWaitingEach: Math.ceil(options.limits.maxWaiting * options.limits.maxShare),
  });
  const upload = createUpload({ ...options, slots });
  const receive = createReceive({ ...options, slots, push: createPush(options) });

  return async (req, res, session) => {
    try {
      const path = readPath(req.url ?? "");
      const [, owner = "", name = "", ...rest] = path?.steps ?? [];
      const what = `${req.method} ${rest.join("/")}?${path?.query.toString()}`;
      const endpoint = ENDPOINTS.get(what);
      if (endpoint === undefined || !name.endsWith(".git"))
        throw new HubError("not_found", "Not found");
      const names = [session.repository, ...(session.formerNames ?? [])];
      if (!names.includes(`${owner}/${name.slice(0, -".git".length)}`))
        throw forbidden(`This session works on ${session.repository} alone`);
      switch (endpoint) {
        case "greetFetch":
          return await upload.advertise(req, res, session);
        case "fetch":
          return await upload.serve(req, res, session);
        case "greetPush":
          return await receive.advertise(req, res, session);
        case "push":
          return await receive.serve(req, res, session);
      }
    } catch (error) {
      // git prints a plain-text answer for the person; anything else it reduces to a number.
      if (error instanceof HubError && error.status < 500 && !res.headersSent) {
        options.onDenial(session.sessionId, error);
        refuse(res, error);
      } else throw error;
    }
  };
}

/** All there is. A query that is spelled otherwise is not git's. */
const ENDPOINTS: ReadonlyMap<string, "greetFetch" | "fetch" | "greetPush" | "push"> = new Map([
  ["GET info/refs?service=git-upload-pack", "greetFetch"],
  ["POST git-upload-pack?", "fetch"],
  ["GET info/refs?service=git-receive-pack", "greetPush"],
  ["POST git-receive-pack?", "push"],
]);

function refuse(res: ServerResponse, error: HubError): void {
  res.writeHead(error.status, { "content-type": "text/plain; charset=utf-8" });
  res.end(`${error.message}\n`);
}
