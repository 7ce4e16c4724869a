import { z } from "zod";
import { changesBetween, diffText } from "../diff.ts";
import { GitHubError, found, invalid } from "../errors.ts";
import { commitOf, git, log, refsOf, resolve, tryGit } from "../git.ts";
import { roleOf } from "../identity.ts";
import { fileBody } from "../present/file.ts";
import { pageUrl, repositoryUrl, userBody } from "../present/people.ts";
import { isPull, pullSimpleBody } from "../present/pull.ts";
import { commitBody, fullRepositoryBody } from "../present/repository.ts";
import { moving } from "../moving.ts";
import { created, nothing, ok, page, read, repositoryRoutes } from "../router.ts";
import type { RepositoryCall, Route } from "../router.ts";
import type { Json } from "../state.ts";

const refRequest = z.object({ ref: z.string(), sha: z.string() });
const refChange = z.object({ sha: z.string(), force: z.boolean().optional() });
export const repositoryOwnRoutes: Route[] = [
  ...repositoryRoutes(["metadata:read"], {
    "GET ": ({ world, repository }) => ok(fullRepositoryBody(world, repository)),
    "GET /collaborators/{username}/permission": permission,
    "GET /rules/branches/{branch}": (call) => {
      const contexts = call.repository.required.get(call.params["branch"] ?? "") ?? [];
      const required_status_checks = contexts.map((context) => ({ context }));
      const parameters = { required_status_checks, strict_required_status_checks_policy: false };
      const source = { ruleset_source_type: "Repository", ruleset_source: "rules", ruleset_id: 1 };
      return page(
        call,
        contexts.length === 0 ? [] : [{ type: "required_status_checks", parameters, ...source }],
      );
    },
  }),
  ...repositoryRoutes(["contents:read"], {
    "GET /branches": async (call) => page(call, await branches(call)),
    "GET /branches/{branch}": branch,
    "GET /git/ref/{ref}": async (call) => ok(await refBody(call, call.params["ref"] ?? "")),
    "GET /commits": async (call) => {
      const start = await resolve(
        call.repository,
        call.query.get("sha") ?? call.repository.defaultBranch,
      );
      const path = call.query.get("path");
      const commits = await log(call.repository, [start, ...(path === null ? [] : ["--", path])]);
      return page(
        call,
        commits.map((each) => commitBody(call.world, call.repository, each)),
      );
    },
    "GET /commits/{ref}": async ({ world, repository, params }) => {
      const commit = await commitOf(repository, await resolve(repository, params["ref"] ?? ""));
      const parent = commit.parents[0];
      const files =
        parent === undefined ? [] : await changesBetween(repository, parent, commit.sha);
      const bodies = files.map((each) => fileBody(world, repository, commit.sha, each));
      return ok({ ...commitBody(world, repository, commit), files: bodies });
    },
    "GET /compare/{basehead}": compare,
  }),
  ...repositoryRoutes(["pull_requests:read", "contents:read"], {
    "GET /commits/{commit_sha}/pulls": async (call) => {
      const { world, repository } = call;
      const sha = await resolve(repository, call.params["commit_sha"] ?? "");
      const pulls = repository.issues
        .filter(isPull)
        .filter(({ pull }) => pull.headSha === sha || pull.mergeSha === sha);
      return page(
        call,
        pulls.map((each) => pullSimpleBody(world, repository, each)),
      );
    },
  }),
  ...repositoryRoutes(["contents:write"], {
    "POST /git/refs": async (call) => {
      const { ref, sha } = read(refRequest, call);
      if (!/^refs\/[^/]+\/./.test(ref)) throw invalid("Reference", "ref", "not a full name");
      if ((await tryGit(call.repository, "rev-parse", "-q", "--verify", ref)) !== null) {
        throw new GitHubError(422, "Reference already exists");
      }
      if ((await tryGit(call.repository, "cat-file", "-e", `${sha}^{commit}`)) === null) {
        throw new GitHubError(422, "Object does not exist");
      }
      await moving(call, async () => void (await git(call.repository, "update-ref", ref, sha)));
      return created(await refBody(call, ref.replace(/^refs\//, "")));
    },
    "PATCH /git/refs/{ref}": async (call) => {
      const { sha, force } = read(refChange, call);
      const name = `refs/${call.params["ref"] ?? ""}`;
      const { repository } = call;
      found(await tryGit(repository, "rev-parse", "-q", "--verify", name));
      const ahead = await tryGit(repository, "merge-base", "--is-ancestor", name, sha);
      if (force !== true && ahead === null) {
        throw new GitHubError(422, "Update is not a fast forward");
      }
      await moving(call, async () => void (await git(repository, "update-ref", name, sha)));
      return ok(await refBody(call, call.params["ref"] ?? ""));
    },
    "DELETE /git/refs/{ref}": async (call) => {
      const name = `refs/${call.params["ref"] ?? ""}`;
      if ((await tryGit(call.repository, "rev-parse", "-q", "--verify", name)) === null) {
        throw new GitHubError(422, "Reference does not exist");
      }
      await moving(call, async () => void (await git(call.repository, "update-ref", "-d", name)));
      return nothing;
    },
  }),
];

function permission({ world, repository, params }: RepositoryCall) {
  const login = params["username"]?.toLowerCase();
  const user = found(world.users.find((each) => each.login.toLowerCase() === login));
  const role = roleOf(repository, user);
  const coarse: Record<string, string> = { triage: "read", maintain: "write" };
  const name = role ?? "none";
  const body = { ...userBody(world, user), role_name: name };
  return ok({ permission: coarse[name] ?? name, role_name: name, user: body });
}

async function branches({ world, repository }: RepositoryCall): Promise<Json[]> {
  const refs = [...(await refsOf(repository))].filter(([ref]) => ref.startsWith("refs/heads/"));
  return refs.map(([ref, sha]) => {
    const name = ref.replace("refs/heads/", "");
    const commit = { sha, url: `${repositoryUrl(world, repository)}/commits/${sha}` };
    return { name, commit, protected: repository.required.has(name) };
  });
}

async function branch({ world, repository, params }: RepositoryCall) {
  const name = params["branch"] ?? "";
  const sha = await tryGit(repository, "rev-parse", "-q", "--verify", `refs/heads/${name}`);
  if (sha === null) throw new GitHubError(404, "Branch not found");
  const self = `${repositoryUrl(world, repository)}/branches/${name}`;
  const contexts = repository.required.get(name);
  const checks = (contexts ?? []).map((context) => ({ context, app_id: null }));
  return ok({
    name,
    commit: commitBody(world, repository, await commitOf(repository, sha)),
    _links: { self, html: `${pageUrl(world, repository)}/tree/${name}` },
    protected: contexts !== undefined,
    protection: {
      enabled: contexts !== undefined,
      required_status_checks: { enforcement_level: "everyone", contexts: contexts ?? [], checks },
    },
    protection_url: `${self}/protection`,
  });
}

async function refBody({ world, repository }: RepositoryCall, name: string): Promise<Json> {
  const sha = found(await tryGit(repository, "rev-parse", "-q", "--verify", `refs/${name}`));
  const base = `${repositoryUrl(world, repository)}/git`;
  return {
    ref: `refs/${name}`,
    node_id: `REF_${sha}`,
    url: `${base}/refs/${name}`,
    object: { type: "commit", sha, url: `${base}/commits/${sha}` },
  };
}

async function compare({ world, repository, params, accept }: RepositoryCall) {
  const [from = "", to = ""] = (params["basehead"] ?? "").split("...");
  const base = await resolve(repository, from);
  const head = await resolve(repository, to.replace(/^[^:]+:/, ""));
  if (/\bdiff\b/.test(accept)) return { status: 200, text: await diffText(repository, base, head) };
  const middle = await git(repository, "merge-base", base, head);
  const commits = (await log(repository, [`${base}..${head}`])).toReversed();
  const behind = Number(await git(repository, "rev-list", "--count", `${head}..${base}`));
  const files = await changesBetween(repository, base, head);
  const html = `${pageUrl(world, repository)}/compare/${from}...${to}`;
  const onlyAhead = commits.length > 0 ? "ahead" : "identical";
  const alsoBehind = commits.length > 0 ? "diverged" : "behind";
  const body = async (sha: string) =>
    commitBody(world, repository, await commitOf(repository, sha));
  return ok({
    url: `${repositoryUrl(world, repository)}/compare/${from}...${to}`,
    html_url: html,
    permalink_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    base_commit: await body(base),
    merge_base_commit: await body(middle),
    status: behind === 0 ? onlyAhead : alsoBehind,
    ahead_by: commits.length,
    behind_by: behind,
    total_commits: commits.length,
    commits: commits.map((each) => commitBody(world, repository, each)),
    files: files.map((each) => fileBody(world, repository, head, each)),
  });
}
