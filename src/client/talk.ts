import type { createClient } from "./client.ts";
import { refusalOf } from "./refusal.ts";

/** What is said to sessions of a hub, and what becomes of their conversations, as functions. */
export function talkOf({ approvals, sessions }: ReturnType<typeof createClient>) {
  const one = sessions[":id"];
  return {
    async message(id: string, message: { text: string; interrupt: boolean }) {
      const answer = await one.messages.$post({ param: { id }, json: message });
      if (answer.status !== 202) throw await refusalOf(answer);
      return await answer.json();
    },
    async interrupt(id: string) {
      const answer = await one.interrupt.$post({ param: { id } });
      if (answer.status !== 202) throw await refusalOf(answer);
      return await answer.json();
    },
    async pause(id: string) {
      const answer = await one.pause.$post({ param: { id } });
      if (answer.status !== 200) throw await refusalOf(answer);
      return await answer.json();
    },
    async resume(id: string) {
      const answer = await one.resume.$post({ param: { id } });
      if (answer.status !== 200) throw await refusalOf(answer);
      return await answer.json();
    },
    /** @param fork at: up to which event the new session knows the conversation. */
    async fork(id: string, fork: { at?: number; requirements: string; autoStart: boolean }) {
      const answer = await one.fork.$post({ param: { id }, json: fork });
      if (answer.status !== 201) throw await refusalOf(answer);
      return await answer.json();
    },
    async retry(id: string, change: { model?: string }) {
      const answer = await one.retry.$post({ param: { id }, json: change });
      if (answer.status !== 201) throw await refusalOf(answer);
      return await answer.json();
    },
    async approvals(id: string) {
      const answer = await one.approvals.$get({ param: { id } });
      if (answer.status !== 200) throw await refusalOf(answer);
      return (await answer.json()).approvals;
    },
    async openApprovals() {
      const answer = await approvals.$get();
      if (answer.status !== 200) throw await refusalOf(answer);
      return (await answer.json()).approvals;
    },
    async decide(
      id: string,
      approvalId: string,
      decision: { decision: "allow" | "deny"; note?: string },
    ) {
      const answer = await one.approvals[":approvalId"].$post({
        param: { id, approvalId },
        json: decision,
      });
      if (answer.status !== 200) throw await refusalOf(answer);
      return await answer.json();
    },
  };
}
