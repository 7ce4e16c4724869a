import { z } from "zod";
import { GitHubError, found } from "../errors.ts";
import { checkMayTriage, findLabel, issueIn, setLabels } from "../issues.ts";
import { labelBody } from "../present/issue.ts";
import { created, nothing, ok, page, read, repositoryRoutes } from "../router.ts";
import type { RepositoryCall, Route } from "../router.ts";
import type { Label } from "../state.ts";
import { nextId } from "../world.ts";

const labelRequest = z.object({
  name: z.string().min(1).max(50),
  color: z.string().optional(),
  description: z.string().max(100).optional(),
});
const labelChange = labelRequest.partial().extend({ new_name: z.string().max(50).optional() });
const asked = z.union([
  z.object({ labels: z.array(z.union([z.string(), z.object({ name: z.string() })])) }),
  z.array(z.string()).transform((labels) => ({ labels })),
]);

const READ = ["issues:read", "pull_requests:read"];
const WRITE = ["issues:write", "pull_requests:write"];

export const labelRoutes: Route[] = [
  ...repositoryRoutes(READ, {
    "GET /labels": (call) => list(call, call.repository.labels),
    "GET /labels/{name}": (call) => ok(body(call, labelIn(call))),
    "GET /issues/{issue_number}/labels": (call) => list(call, issueIn(call).labels),
  }),
  ...repositoryRoutes(WRITE, {
    "POST /labels": (call) => {
      checkMayTriage(call);
      const { name, color = "ededed", description = null } = read(labelRequest, call);
      if (findLabel(call.repository, name) !== undefined) {
        const errors = [{ resource: "Label", code: "already_exists", field: "name" }];
        throw new GitHubError(422, "Validation Failed", { errors });
      }
      const label = { id: nextId(call.world), name, color, description };
      call.repository.labels.push(label);
      emit(call, label, "created");
      return created(body(call, label));
    },
    "PATCH /labels/{name}": (call) => {
      const label = labelIn(call);
      const { new_name, color, description } = read(labelChange, call);
      Object.assign(label, {
        name: new_name ?? label.name,
        color: color ?? label.color,
        description: description ?? label.description,
      });
      emit(call, label, "edited");
      return ok(body(call, label));
    },
    "DELETE /labels/{name}": (call) => {
      const label = labelIn(call);
      const { repository } = call;
      repository.labels = repository.labels.filter((each) => each !== label);
      for (const issue of repository.issues) {
        issue.labels = issue.labels.filter((each) => each !== label);
      }
      emit(call, label, "deleted");
      return nothing;
    },
    "POST /issues/{issue_number}/labels": async (call) => await give(call, true),
    "PUT /issues/{issue_number}/labels": async (call) => await give(call, false),
    "DELETE /issues/{issue_number}/labels": async (call) => {
      checkMayTriage(call);
      await setLabels(call, issueIn(call), []);
      return nothing;
    },
    "DELETE /issues/{issue_number}/labels/{name}": async (call) => {
      checkMayTriage(call);
      const issue = issueIn(call);
      const label = findLabel(call.repository, call.params["name"] ?? "");
      if (label === undefined || !issue.labels.includes(label)) {
        throw new GitHubError(404, "Label does not exist");
      }
      const left = issue.labels.filter((each) => each !== label).map((each) => each.name);
      await setLabels(call, issue, left);
      return list(call, issue.labels);
    },
  }),
];

async function give(call: RepositoryCall, add: boolean) {
  checkMayTriage(call);
  const issue = issueIn(call);
  const { labels } = read(asked, call);
  const names = labels.map((each) => (typeof each === "string" ? each : each.name));
  const before = add ? issue.labels.map((each) => each.name) : [];
  await setLabels(call, issue, [...before, ...names]);
  return list(call, issue.labels);
}

function list(call: RepositoryCall, labels: readonly Label[]) {
  return page(
    call,
    labels.map((each) => body(call, each)),
  );
}

function body({ world, repository }: RepositoryCall, label: Label) {
  return labelBody(world, repository, label);
}

function labelIn({ repository, params }: RepositoryCall): Label {
  return found(findLabel(repository, params["name"] ?? ""));
}

function emit(call: RepositoryCall, label: Label, action: string): void {
  const { hooks, repository, user } = call;
  const payload = { label: body(call, label) };
  hooks.emit({ name: "label", action, sender: user, repository, payload });
}
