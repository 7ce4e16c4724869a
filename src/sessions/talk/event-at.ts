import type { EventBody, EventKind, NewEvent } from "../../core/event.ts";

export function eventAt(at: Date, kind: EventKind, body: EventBody): NewEvent {
  return { at: at.toISOString(), kind, body };
}
