import { expect, test } from "vitest";
import { internal } from "./_generated/api";
import { deployment } from "./test.setup";

async function seeded() {
  const t = deployment();
  const added = await t.mutation(internal.seed.demo);
  return { t, added, incidents: () => t.run((ctx) => ctx.db.query("incidents").collect()) };
}

test("the seed fills an empty deployment once", async () => {
  const { t, added, incidents } = await seeded();
  const addedAgain = await t.mutation(internal.seed.demo);
  expect([added, addedAgain, (await incidents()).length]).toEqual([10, 0, 10]);
});

test("old incidents get the site of their participant, the others keep theirs", async () => {
  const { t, incidents } = await seeded();
  const before = await incidents();
  const changed = await t.mutation(internal.migrations.backfillIncidentSites);
  const participants = await t.run((ctx) => ctx.db.query("participants").collect());
  const siteOf = new Map(participants.map(({ _id, site_id }) => [_id, site_id]));
  expect(changed).toBe(4);
  expect(await incidents()).toEqual(
    before.map((incident) => ({ ...incident, site_id: siteOf.get(incident.participant_id) })),
  );
});

test("a second run of the migration changes nothing", async () => {
  const { t, incidents } = await seeded();
  await t.mutation(internal.migrations.backfillIncidentSites);
  const before = await incidents();
  const changed = await t.mutation(internal.migrations.backfillIncidentSites);
  expect([changed, await incidents()]).toEqual([0, before]);
});

test("an incident whose participant does not exist stops the migration and nothing is changed", async () => {
  const { t, incidents } = await seeded();
  const before = await incidents();
  const last = before.filter(({ site_id }) => !site_id).at(-1)!;
  await t.run((ctx) => ctx.db.delete(last.participant_id));
  await expect(t.mutation(internal.migrations.backfillIncidentSites)).rejects.toThrow("who does not exist");
  expect(await incidents()).toEqual(before);
});
