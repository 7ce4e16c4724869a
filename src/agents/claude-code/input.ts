import type { AgentInput } from "../agent.ts";

/** What `claude -p --input-format stream-json` is told while it runs; tried with version 2.1.330. */
export const claudeCodeInput: AgentInput = {
  message: (id, text) => userLine(text, id),
  interrupt: (id) =>
    line({ type: "control_request", request_id: id, request: { subtype: "interrupt" } }),
  permission: (requestId, input, reason) => {
    const answer =
      reason === null
        ? { behavior: "allow", updatedInput: input }
        : { behavior: "deny", message: reason };
    const response = { subtype: "success", request_id: requestId, response: answer };
    return line({ type: "control_response", response });
  },
};

/** @param id Given back when the message is in the conversation. */
export function userLine(text: string, id?: string): string {
  const message = { role: "user", content: text };
  return line({
    type: "user",
    message,
    parent_tool_use_id: null,
    ...(id === undefined ? {} : { uuid: id }),
  });
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
