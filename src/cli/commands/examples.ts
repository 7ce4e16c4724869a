import type { Command } from "commander";

const EXAMPLES = `Start sessions:
  claude-hub start acme/webapp "Add a health endpoint" --follow
  claude-hub start acme/webapp "Fix what the reviewer found" --pr 42 --branch fix-login
  claude-hub batch tasks.yaml --dry-run
  claude-hub batch tasks.yaml

Look at them:
  claude-hub list --watch
  claude-hub show 019ac0de
  claude-hub logs 019ac0de --follow
  claude-hub graph 019ac0de
  claude-hub diff 019ac0de | git apply

End them, or start them again:
  claude-hub stop 019ac0de
  claude-hub stop all
  claude-hub recover 019ac0de --with-dependents
`;

export function addExamples(program: Command): void {
  program
    .command("examples")
    .description("show how it is used")
    .action(() => {
      process.stdout.write(EXAMPLES);
    });
}
