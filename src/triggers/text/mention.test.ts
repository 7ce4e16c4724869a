import { expect, test } from "vitest";
import { mentionOf } from "./mention.ts";

test.each(["our-bot", "our-bot[bot]", "Bot", "a-b-c1"])(
  "%s is heard by its name alone",
  (login) => {
    const name = login.replace("[bot]", "");
    expect(mentionOf(`Hi @${name}, please fix it`, login)).not.toBeNull();
    expect(mentionOf(`Hi @${name.toUpperCase()}[bot] plan`, login)).toMatchObject({
      command: "plan",
    });
    expect(mentionOf(`Hi @${name}-2, please fix it`, login)).toBeNull();
    expect(mentionOf(`Hi @x-${name}, please fix it`, login)).toBeNull();
    expect(mentionOf(`\`@${name} fix\``, login)).toBeNull();
  },
);
