import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Files } from "../forge/git-forge.ts";
import { addStatus, emitRun } from "./checks.ts";
import type { Scene } from "./checks.ts";
import { changesOf, commitFiles, git, initRepository, refsOf, resolve } from "./git.ts";
import type { Hooks } from "./hooks.ts";
import { setDraft } from "./issues.ts";
import type { People } from "./people.ts";
import { isPull } from "./present/pull.ts";
import { fullRepositoryBody } from "./present/repository.ts";
import { afterPush } from "./push.ts";
import type { Repository, Role, Status, User } from "./state.ts";
import { fullName, nextId, stamp, userNamed } from "./world.ts";
import type { World } from "./world.ts";
import { endJob, startWorkflow } from "./workflows.ts";
import type { JobOutcome } from "./workflows.ts";

const FIXTURES = join(import.meta.dirname, "../forge/fixtures");

export interface RepositorySettings {
  /** Text by path, or the name of a directory of `test/kit/forge/fixtures`. */
  files?: Files;
  private?: boolean;
  collaborators?: Record<string, Role>;
  labels?: string[];
}

export interface NewPush {
  by: string;
  branch: string;
  /** Text by path; null deletes. */
  files: Record<string, string | null>;
  message?: string;
  /** Begins the branch anew on top of this commit or branch: a force-push where it was there. */
  onto?: string;
}

export interface LocalRepository {
  /** `owner/name`, as it is called now. */
  readonly name: string;
  readonly cloneUrl: string;
  /** The bare repository on disk. */
  dir: string;
  /** All that is known of it, for assertions. */
  state: Repository;
  /** Puts a commit on a branch, as if somebody had pushed it. Returns its sha. */
  push(change: NewPush): Promise<string>;
  deleteBranch(by: string, branch: string): Promise<void>;
  git(...args: string[]): Promise<string>;
  sha(ref: string): Promise<string>;
  setRole(login: string, role: Role | null): void;
  /** What the button "Ready for review" does, and "Convert to draft"; GitHub has it in GraphQL alone. */
  setDraft(by: string, number: number, isDraft: boolean): Promise<void>;
  /** Statuses or checks that a branch must have before a merge. */
  require(branch: string, contexts: string[]): void;
  /** Runs a workflow of GitHub Actions on a commit; jobs without a conclusion go on until `endJob`. */
  runWorkflow(settings: {
    workflow?: string;
    event?: string;
    ref: string;
    by: string;
    jobs: JobOutcome[];
  }): Promise<{ id: number; endJob: (outcome: JobOutcome) => Promise<void> }>;
  setStatus(
    ref: string,
    status: { by: string; context: string; state: Status["state"]; description?: string },
  ): Promise<void>;
  /** What the button "Re-run" of a check does. */
  rerun(by: string, checkRunId: number): void;
  /** What a button of a check does. */
  press(by: string, checkRunId: number, identifier: string): void;
  fork(login: string): Promise<LocalRepository>;
  rename(name: string): void;
  /** Gives it to another account; installations of the old one lose it. */
  transfer(login: string): void;
  archive(): void;
  delete(): void;
}

interface Deps {
  world: World;
  hooks: Hooks;
  people: People;
  root: string;
}

export function createRepositories({ world, hooks, root }: Deps) {
  async function add(owner: User, name: string, from: Repository | null): Promise<Repository> {
    const id = nextId(world);
    // Called by its number, so that it stays where it is whatever it is called.
    const dir = join(root, `${id}.git`);
    await initRepository(dir, from?.dir);
    const time = stamp(world);
    const repository: Repository = {
      id,
      owner,
      name,
      dir,
      private: false,
      archived: false,
      defaultBranch: "main",
      parent: from,
      collaborators: new Map(),
      labels: [],
      issues: [],
      comments: [],
      reviewComments: [],
      hooks: [],
      suites: [],
      statuses: [],
      runs: [],
      required: new Map(),
      idle: Promise.resolve(),
      createdAt: time,
      pushedAt: time,
    };
    world.repositories.push(repository);
    return repository;
  }

  async function create(
    called: string,
    settings: RepositorySettings = {},
  ): Promise<LocalRepository> {
    const [owner = "", name = ""] = called.split("/");
    const repository = await add(userNamed(world, owner), name, null);
    repository.private = settings.private ?? false;
    for (const [login, role] of Object.entries(settings.collaborators ?? {})) {
      repository.collaborators.set(userNamed(world, login), role);
    }
    for (const label of settings.labels ?? []) {
      const color = "ededed";
      repository.labels.push({ id: nextId(world), name: label, color, description: null });
    }
    const files = await textsOf(settings.files ?? { "README.md": `# ${name}\n` });
    const author = authorOf(repository.owner);
    await commitFiles(repository, { branch: "main", files, message: "Begin", author });
    return handle(repository);
  }

  function sceneOf(repository: Repository, login: string): Scene {
    return { world, hooks, repository, sender: userNamed(world, login) };
  }

  /** As a push: one after the other, with all that follows. */
  async function moved<T>(repository: Repository, by: string, move: () => Promise<T>): Promise<T> {
    const before = repository.idle;
    const { promise, resolve: done } = Promise.withResolvers<void>();
    repository.idle = promise;
    try {
      await before;
      const old = await refsOf(repository);
      const result = await move();
      const changes = changesOf(old, await refsOf(repository));
      await afterPush(world, hooks, repository, userNamed(world, by), changes);
      return result;
    } finally {
      done();
    }
  }

  function emit(repository: Repository, action: string, changes: Record<string, unknown>): void {
    const payload = { changes, repository: fullRepositoryBody(world, repository) };
    hooks.emit({ name: "repository", action, sender: repository.owner, repository, payload });
  }

  function handle(repository: Repository): LocalRepository {
    return {
      get name() {
        return fullName(repository);
      },
      get cloneUrl() {
        return `${world.url}/${fullName(repository)}.git`;
      },
      dir: repository.dir,
      state: repository,
      push: async ({ by, branch, files, message = "Change", onto }) =>
        await moved(repository, by, async () => {
          const author = authorOf(userNamed(world, by));
          return await commitFiles(repository, { branch, files, message, author, onto });
        }),
      async deleteBranch(by, branch) {
        await moved(repository, by, async () => {
          await git(repository, "update-ref", "-d", `refs/heads/${branch}`);
        });
      },
      git: async (...args) => await git(repository, ...args),
      sha: async (ref) => await resolve(repository, ref),
      setRole(login, role) {
        const user = userNamed(world, login);
        if (role === null) repository.collaborators.delete(user);
        else repository.collaborators.set(user, role);
      },
      async setDraft(by, number, isDraft) {
        const issue = repository.issues.filter(isPull).find((one) => one.number === number);
        if (issue === undefined) throw new Error(`there is no pull request #${number}`);
        await setDraft({ world, hooks, repository, user: userNamed(world, by) }, issue, isDraft);
      },
      require(branch, contexts) {
        repository.required.set(branch, contexts);
      },
      async runWorkflow({ workflow = "ci", event = "push", ref, by, jobs }) {
        const scene = sceneOf(repository, by);
        const sha = await resolve(repository, ref);
        const branch = ref === sha ? null : ref;
        const run = await startWorkflow(scene, { workflow, event, sha, branch, jobs });
        return { id: run.id, endJob: async (outcome) => await endJob(scene, run, outcome) };
      },
      async setStatus(ref, { by, context, state, description = null }) {
        const sha = await resolve(repository, ref);
        const status = { sha, state, context, description, targetUrl: null };
        await addStatus(sceneOf(repository, by), status);
      },
      rerun(by, id) {
        const run = repository.suites.flatMap(({ runs }) => runs).find((one) => one.id === id);
        if (run === undefined) throw new Error(`there is no check ${id}`);
        emitRun(sceneOf(repository, by), run, "rerequested", { only: run.suite.app });
      },
      press(by, id, identifier) {
        const run = repository.suites.flatMap(({ runs }) => runs).find((one) => one.id === id);
        if (run?.actions.some((one) => one.identifier === identifier) !== true)
          throw new Error(`check ${id} has no button ${identifier}`);
        const payload = { requested_action: { identifier } };
        const scene = sceneOf(repository, by);
        emitRun(scene, run, "requested_action", { only: run.suite.app, payload });
      },
      async fork(login) {
        const fork = await add(userNamed(world, login), repository.name, repository);
        return handle(fork);
      },
      rename(name) {
        const old = repository.name;
        world.formerNames.set(fullName(repository).toLowerCase(), repository);
        repository.name = name;
        emit(repository, "renamed", { repository: { name: { from: old } } });
      },
      transfer(login) {
        const from = repository.owner;
        world.formerNames.set(fullName(repository).toLowerCase(), repository);
        repository.owner = userNamed(world, login);
        emit(repository, "transferred", { owner: { from: { user: { login: from.login } } } });
      },
      archive() {
        repository.archived = true;
        emit(repository, "archived", {});
      },
      delete() {
        emit(repository, "deleted", {});
        world.repositories.splice(world.repositories.indexOf(repository), 1);
        for (const other of world.repositories) {
          for (const { pull } of other.issues) {
            if (pull?.headRepository === repository) pull.headRepository = null;
          }
        }
      },
    };
  }

  return { create };
}

function authorOf(user: User) {
  return { name: user.login, email: `${user.id}+${user.login}@users.noreply.localhost` };
}

async function textsOf(files: Files): Promise<Record<string, string>> {
  if (typeof files !== "string") return files;
  const dir = join(FIXTURES, files);
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const texts = entries
    .filter((entry) => entry.isFile())
    .map(async (entry): Promise<[string, string]> => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(dir.length + 1), await readFile(path, "utf8")];
    });
  return Object.fromEntries(await Promise.all(texts));
}
