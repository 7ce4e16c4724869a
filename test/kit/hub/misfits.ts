/** Requests of the older API that do not fit, with what the answer must name. */
const project = { repository: "acme/webapp", requirements: "Say hello" };
const UNKNOWN = "0190f5fe-7c00-7a00-8abc-012345678901";

export const MISFITS: [what: string, body: unknown, named: string][] = [
  ["not an object", [], "expected object"],
  ["no type", {}, "type"],
  ["an unknown type", { type: "session.explode" }, "type"],
  ["no session", { type: "session.create" }, "session"],
  ["no project", { type: "session.create", session: { type: "testing" } }, "session.project"],
  ["no requirements", create({ project: { repository: "a/b" } }), "session.project.requirements"],
  [
    "a number",
    create({ project: { ...project, requirements: 7 } }),
    "session.project.requirements",
  ],
  ["no session type", { type: "session.create", session: { project } }, "session.type"],
  ["another session type", create({ type: "cooking" }), "session.type"],
  [
    "a path for a name",
    create({ project: { ...project, repository: "a/.." } }),
    "session.project.repository",
  ],
  [
    "no owner",
    create({ project: { ...project, repository: "webapp" } }),
    "session.project.repository",
  ],
  [
    "an option for an owner",
    create({ project: { ...project, repository: "-a/b" } }),
    "session.project.repository",
  ],
  [
    "a name of git's",
    create({ project: { ...project, repository: "a/.git" } }),
    "session.project.repository",
  ],
  [
    "an option for a branch",
    create({ project: { ...project, branch: "--upload-pack=x" } }),
    "session.project.branch",
  ],
  [
    "NUL",
    create({ project: { ...project, requirements: "a\u0000b" } }),
    "session.project.requirements",
  ],
  ["NUL in metadata", create({ metadata: { a: "\u0000" } }), "session.metadata"],
  ["dependencies that are no ids", create({ dependencies: ["soon"] }), "session.dependencies"],
  ["dependencies that are no list", create({ dependencies: "x" }), "session.dependencies"],
  ["unknown dependencies", create({ dependencies: [UNKNOWN] }), "dependencies"],
  ["no id", { type: "session.get" }, "sessionId"],
  ["something else than an id", { type: "session.start", sessionId: "../../etc" }, "sessionId"],
  ["a wrong filter", { type: "session.list", status: "lost" }, "status"],
  [
    "a wrong kind of orchestration",
    { type: "orchestrate", sessionType: "testing", project },
    "sessionType",
  ],
  ["a text for a yes", { type: "orchestrate", autoStart: "yes", project }, "autoStart"],
];

/** Bodies that are no JSON, or too much of it, with what the answer must name. */
export const MALFORMED: [what: string, body: string, named: string][] = [
  ["malformed JSON", '{"type":', "JSON"],
  ["no body", "", "JSON"],
  ["endless nesting", `{"type":"session.create","session":${"[".repeat(400_000)}`, "JSON"],
  [
    "deep nesting",
    `{"type":"session.create","session":{"type":"testing","project":{"repository":"a/b","requirements":"x"},"metadata":{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}}}`,
    "nested",
  ],
];

function create(session: Record<string, unknown>) {
  return { type: "session.create", session: { type: "implementation", project, ...session } };
}
