import { sql } from "kysely";
import { expect, inject, test } from "vitest";
import { openSessionLife } from "../../../test/kit/hub/session-life.ts";
import { namedId, newId } from "../../core/id.ts";
import { NewSession } from "../../core/session.ts";

test("what has a name of its own is said once, however often and by however many", async () => {
  await using house = await openSessionLife({ serverUrl: inject("databaseServer") });
  const { sessions, talk } = house.life;
  const { id } = await sessions.create(
    NewSession.parse({
      type: "implementation",
      project: { repository: "octo/greeter", requirements: "Greet." },
      options: { autoStart: true },
    }),
  );
  await house.running();
  const coordinator = newId();
  const message = { id: namedId(coordinator, "message 1"), text: "Go on.", sender: "coordinator" };
  const said = await Promise.all([1, 2, 3].map(() => talk.message(id, message)));
  expect(new Set(said.map((one) => JSON.stringify(one))).size).toBe(1);
  const other = await talk.message(id, { ...message, id: namedId(coordinator, "message 2") });
  expect(other.id).not.toBe(message.id);
  // Another one's name is another one.
  expect(namedId(newId(), "message 1")).not.toBe(message.id);
  await sql`update sessions set status = 'running', started_at = now() where id = ${id}`.execute(
    house.database.db,
  );
  const order = namedId(coordinator, "interrupt 1");
  const interrupted = await talk.interrupt(id, "coordinator", order);
  expect(await talk.interrupt(id, "coordinator", order)).toEqual(interrupted);
  const { rows } = await sql`select kind, text from session_messages where session_id = ${id}
    order by position`.execute(house.database.db);
  expect(rows).toEqual([
    { kind: "message", text: "Go on." },
    { kind: "message", text: "Go on." },
    { kind: "interrupt", text: "" },
  ]);
  await house.finish(id);
  // Whoever asks again is told what came of it, also when nothing new would be heard.
  expect(await talk.message(id, message)).toEqual(said[0]);
  await expect(talk.message(id, { ...message, id: newId() })).rejects.toThrow("has ended");
});
