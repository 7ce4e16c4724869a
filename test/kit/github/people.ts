import { z } from "zod";
import type { Api } from "./api.ts";
import type { Identity } from "./identity.ts";
import { userNamed } from "./world.ts";
import type { World } from "./world.ts";

const anyBody = z.looseObject({});
const numbered = z.looseObject({ number: z.number(), id: z.number() });
const identified = z.looseObject({ id: z.number() });

/** What people do by hand. Each answer is the one that GitHub's API gives. */
export type People = (login: string) => {
  /** Any call of the API, `request("POST", "/repos/octo/greeter/labels", { … })`. */
  request(method: string, path: string, body?: unknown): Promise<unknown>;
  openIssue(
    repository: string,
    issue: { title: string; body?: string; labels?: string[] },
  ): Promise<z.infer<typeof numbered>>;
  comment(repository: string, number: number, body: string): Promise<z.infer<typeof identified>>;
  editComment(repository: string, id: number, body: string): Promise<void>;
  label(repository: string, number: number, ...labels: string[]): Promise<void>;
  openPull(
    repository: string,
    pull: { title: string; head: string; base?: string; body?: string; draft?: boolean },
  ): Promise<z.infer<typeof numbered>>;
  review(
    repository: string,
    number: number,
    review: { event: string; body?: string; comments?: unknown[] },
  ): Promise<z.infer<typeof identified>>;
  merge(repository: string, number: number): Promise<void>;
  close(repository: string, number: number): Promise<void>;
  setLocked(repository: string, number: number, locked: boolean): Promise<void>;
};

function at(repository: string, number: number): string {
  return `/repos/${repository}/issues/${number}`;
}

export function createPeople(world: World, api: Api): People {
  return (login) => {
    const user = userNamed(world, login);
    const token = { value: "", user, installation: null, expiresAt: null };
    const identity: Identity = {
      kind: "token",
      token: { ...token, repositories: null, permissions: null },
    };
    async function request(method: string, path: string, body?: unknown): Promise<unknown> {
      return (await api.call(identity, method, path, body)).body;
    }
    return {
      request,
      async openIssue(repository, issue) {
        return numbered.parse(await request("POST", `/repos/${repository}/issues`, issue));
      },
      async comment(repository, number, body) {
        const path = `${at(repository, number)}/comments`;
        return identified.parse(await request("POST", path, { body }));
      },
      async editComment(repository, id, body) {
        const path = `/repos/${repository}/issues/comments/${id}`;
        anyBody.parse(await request("PATCH", path, { body }));
      },
      async label(repository, number, ...labels) {
        await request("POST", `${at(repository, number)}/labels`, { labels });
      },
      async openPull(repository, pull) {
        const body = { base: "main", ...pull };
        return numbered.parse(await request("POST", `/repos/${repository}/pulls`, body));
      },
      async review(repository, number, review) {
        const path = `/repos/${repository}/pulls/${number}/reviews`;
        return identified.parse(await request("POST", path, review));
      },
      async merge(repository, number) {
        await request("PUT", `/repos/${repository}/pulls/${number}/merge`, {});
      },
      async close(repository, number) {
        await request("PATCH", at(repository, number), { state: "closed" });
      },
      async setLocked(repository, number, locked) {
        await request(locked ? "PUT" : "DELETE", `${at(repository, number)}/lock`);
      },
    };
  };
}
