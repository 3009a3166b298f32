import { expect, test } from "vitest";
import { api, internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import { deployment } from "./test.setup";

async function seeded() {
  const t = deployment();
  await t.mutation(internal.seed.demo);
  const [company] = await t.query(api.companies.list);
  const sites = await t.query(api.sites.list.listCompanySites, { company_id: company!._id });
  return { t, company_id: company!._id, sites };
}

async function firstParticipant(t: ReturnType<typeof deployment>, site_id: Id<"sites">) {
  const [participant] = await t.query(api.participants.listBySite, { site_id });
  return participant!;
}

test("companies, sites and participants are listed by name", async () => {
  const { t, sites } = await seeded();
  const companies = await t.query(api.companies.list);
  const participants = await t.query(api.participants.listBySite, { site_id: sites[0]!._id });
  expect([companies, sites, participants].map((found) => found.map(({ name }) => name))).toEqual([
    ["Harbour Care", "Northside Support"],
    ["Banksia House", "Jetty Road", "Lighthouse Lane"],
    ["Amara Okafor", "Tom Baker"],
  ]);
});

test("the incidents of a company are listed newest first", async () => {
  const { t, company_id } = await seeded();
  const incidents = await t.query(api.incidents.list, { company_id });
  expect(incidents.map(({ participant, site }) => `${participant}, ${site}`)).toEqual([
    "Amara Okafor, Banksia House",
    "Lucia Moreno, Jetty Road",
    "Tom Baker, Banksia House",
    "Priya Nair, Lighthouse Lane",
    "Lucia Moreno, null",
    "Amara Okafor, null",
  ]);
});

test("a reported incident is the newest one of its site", async () => {
  const { t, company_id, sites } = await seeded();
  const site = sites[1]!;
  const participant = await firstParticipant(t, site._id);
  const report = { participant_id: participant._id, severity: "high" as const };
  const _id = await t.mutation(api.incidents.report, { ...report, description: "  Fell in the garden.\n" });
  const [newest] = await t.query(api.incidents.list, { company_id, site_id: site._id });
  expect(newest).toEqual({
    _id,
    site: site.name,
    participant: participant.name,
    severity: "high",
    description: "Fell in the garden.",
    reported_at: expect.any(Number),
  });
});

test("a report without a description is refused", async () => {
  const { t, sites } = await seeded();
  const participant = await firstParticipant(t, sites[0]!._id);
  const report = t.mutation(api.incidents.report, {
    participant_id: participant._id,
    severity: "low",
    description: " \n",
  });
  await expect(report).rejects.toThrow("Describe what happened.");
});

test("a report for a participant who has left is refused", async () => {
  const { t, sites } = await seeded();
  const participant = await firstParticipant(t, sites[0]!._id);
  await t.run((ctx) => ctx.db.delete(participant._id));
  const report = t.mutation(api.incidents.report, {
    participant_id: participant._id,
    severity: "low",
    description: "Fell.",
  });
  await expect(report).rejects.toThrow("This participant is no longer at any site.");
});
