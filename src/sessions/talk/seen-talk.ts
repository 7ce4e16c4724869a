import type { Access } from "../../core/access.ts";
import { sessionsFor } from "../seen.ts";
import type { Sessions } from "../sessions.ts";
import type { SessionTalk } from "./talk.ts";

/** Talk with the sessions that are there for who asks; of others everything says that they do not exist. */
export function talkFor(talk: SessionTalk, sessions: Sessions, access: Access): SessionTalk {
  const { get } = sessionsFor(sessions, access);
  return {
    async message(id, message) {
      await get(id);
      return await talk.message(id, message);
    },
    async interrupt(id, sender, orderId) {
      await get(id);
      return await talk.interrupt(id, sender, orderId);
    },
  };
}

/** How the log calls who has said something by the API. */
export function senderOf({ tokenId }: Access): string {
  return tokenId === null ? "api" : `token ${tokenId}`;
}
