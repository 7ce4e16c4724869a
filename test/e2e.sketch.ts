import { startHub } from "./kit/hub.ts";
import { createGitForge } from "./kit/git-forge.ts";
import { createScriptedModel } from "./kit/scripted-model.ts";
import { readScenario } from "./kit/scenario.ts";
import { claudeCodePath } from "./kit/claude-code.ts";
await using forge = await createGitForge({ token: "forge-token-xyz" });
await forge.repository("octo/greeter", "greeter");
await using model = await createScriptedModel({ apiKey: "model-key-xyz", scenario: await readScenario(new URL("kit/scenarios/farewell.json", import.meta.url)) });
await using hub = await startHub({ forge: { url: forge.url, token: "forge-token-xyz" }, model: { url: model.url, apiKey: "model-key-xyz" }, agentPath: claudeCodePath, runtime: process.argv[2] as "process" });
console.log(hub.url);
try {
const s = await hub.create({ type: "implementation", project: { repository: "octo/greeter", requirements: "Add a farewell function." } });
const t = performance.now();
await hub.start(s.id);
console.log(await hub.until(s.id, { timeoutMs: 20000 }), performance.now() - t);
for (const e of await hub.events(s.id)) console.log(e.seq, e.at.slice(17), e.kind, JSON.stringify(e.body).slice(0, 150));
console.log(JSON.stringify((await hub.claude({ type: "session.output", sessionId: s.id })).body, null, 1).slice(-2500));
console.log(await forge.refs("octo/greeter"), forge.credentials, model.keysSeen);
} finally { console.log(hub.output().slice(-3500)); }
