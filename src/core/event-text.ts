import type { Event, EventBody } from "./event.ts";

const LONGEST = 2_000;

/** An event as one line for people, without its time. */
export function eventText(event: Pick<Event, "kind" | "body">): string {
  const { body } = event;
  const text = (key: string) => valueText(body[key]);
  switch (event.kind) {
    case "message.sent":
      return line(`${text("sender")} says: ${text("text")}`);
    case "message.written":
      return line(`agent: ${text("text")}`);
    case "thought.written":
      return line(`agent thinks: ${text("text")}`);
    case "tool.called":
      return line(`tool ${text("tool")}: ${text("input")}`);
    case "tool.returned":
      return line(`${body["isError"] === true ? "tool failed" : "tool returned"}: ${text("text")}`);
    case "agent.printed":
    case "setup.printed":
    case "check.printed":
      return line(`${event.kind.split(".")[0] ?? ""} printed: ${text("line")}`);
    case "commit.created":
      return line(`commit ${text("sha").slice(0, 10)} ${text("subject")}`);
    case "branch.pushed":
      return line(`pushed ${text("branch")} at ${text("sha").slice(0, 10)}`);
    case "push.refused":
      return line(`push of ${text("ref")} refused: ${text("reason")}`);
    case "egress.allowed":
      return line(`connected to ${text("host")}:${text("port")}${times(body)}`);
    case "egress.refused":
      return line(
        `connection to ${text("host")}:${text("port")} refused: ${text("reason")}${times(body)}`,
      );
    case "approval.requested":
      return line(`asks people (${text("number")}): ${text("subject")} ${text("detail")}`);
    case "approval.answered":
      return line(`${text("by")} answers ${text("number")}: ${text("decision")} ${text("note")}`);
    case "repository.awaited":
      return line(`waits for the repository: ${text("reason")}; it begins once that has passed`);
    case "session.completed":
      return line(`session completed: ${text("summary")}`);
    case "session.failed":
    case "session.cancelled":
      return line(`${event.kind.replace(".", " ")}: ${text("error")}`);
    case "unknown":
      return line(`something that the hub does not know: ${text("raw").slice(0, 200)}`);
    case "model.called":
      return line(
        `model ${text("model")}: ${text("inputTokens")} tokens in, ${text("outputTokens")} out, status ${text("status")}, ${text("durationMs")} ms`,
      );
    case "agent.initialized":
      return line(`agent is ready, model ${text("model")}`);
    default:
      return line(`${event.kind.replace(".", " ")}${fields(body)}`);
  }
}

/** Repetitions are told in larger and larger steps. */
function times({ count }: EventBody): string {
  return typeof count === "number" && count > 1 ? ` (${count} times)` : "";
}

function fields(body: EventBody): string {
  return Object.entries(body)
    .filter(([, value]) => value !== null && value !== "")
    .map(([key, value]) => ` ${key}=${valueText(value)}`)
    .join("");
}

function valueText(value: EventBody[string] | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** One line: control characters, with which text could steer a terminal, become blanks. */
function line(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is being removed
  const flat = text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trimEnd();
  return flat.length <= LONGEST ? flat : `${flat.slice(0, LONGEST).toWellFormed()} …`;
}
