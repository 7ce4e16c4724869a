/** What the bot answers to `help`. */
export function helpText(botLogin: string): string {
  const name = `\`@${botLogin}\``;
  return [
    `Call ${name} in a comment and say what you want: a change on an issue becomes a branch and a pull request, on a pull`,
    "request it goes to its branch. Or use one of these words:",
    "",
    "| say | to have |",
    "| --- | --- |",
    `| ${name} \`plan\` | a plan of tasks, and no changes |`,
    `| ${name} \`go\` | the plan done as it stands in my comment |`,
    `| ${name} \`fix\` | what is described here fixed |`,
    `| ${name} \`review\` | the pull request reviewed |`,
    `| ${name} \`label\` | labels for this, of those that the repository has |`,
    `| ${name} \`stop\` | all work here ended |`,
    `| ${name} \`approve CODE\`, \`deny CODE\` | a question of mine answered; it says its code |`,
    `| ${name} \`retry\` | the last thing tried once more |`,
    `| ${name} \`status\` | a word on where things are |`,
    "",
    "Who calls again on the same thread goes on with the same conversation.",
  ].join("\n");
}
