import { Argument } from "commander";
import type { Command } from "commander";

export function addCompletion(program: Command): void {
  program
    .command("completion")
    .description("print what completes the command line in a shell")
    .addArgument(new Argument("<shell>", "which shell").choices(["bash", "zsh", "fish"]))
    .addHelpText(
      "after",
      `
bash: claude-hub completion bash > ~/.local/share/bash-completion/completions/claude-hub
zsh:  claude-hub completion zsh > "\${fpath[1]}/_claude-hub"
fish: claude-hub completion fish > ~/.config/fish/completions/claude-hub.fish`,
    )
    .action(async (shell: string) => {
      const { completionFor } = await import("../completion/completion.ts");
      process.stdout.write(completionFor(shell, program));
    });
}
