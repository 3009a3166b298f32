import { v } from "convex/values";
import type { Doc } from "./_generated/dataModel";
import { internalMutation } from "./_generated/server";

type DemoIncident = {
  days_ago: number;
  severity: Doc<"incidents">["severity"];
  description: string;
  /** Recorded before incidents had a site. */
  old?: true;
};

/** company -> site -> participant -> incidents */
const DEMO: Record<string, Record<string, Record<string, DemoIncident[]>>> = {
  "Harbour Care": {
    "Banksia House": {
      "Amara Okafor": [
        { days_ago: 0.2, severity: "medium", description: "Slipped on the wet kitchen floor; no injury." },
        { days_ago: 41, severity: "low", description: "Afternoon outing cancelled, upset for an hour.", old: true },
      ],
      "Tom Baker": [
        { days_ago: 3, severity: "high", description: "Evening medication given twice. Doctor informed." },
      ],
    },
    "Jetty Road": {
      "Lucia Moreno": [
        { days_ago: 1.4, severity: "low", description: "Glasses broken during transfer; replacement ordered." },
        { days_ago: 38, severity: "high", description: "Fall from the bed at night. Checked in hospital.", old: true },
      ],
      "Sam Whitfield": [],
    },
    "Lighthouse Lane": {
      "Priya Nair": [
        { days_ago: 6, severity: "medium", description: "Left the site alone; found well after 20 minutes." },
      ],
    },
  },
  "Northside Support": {
    "Fig Tree Court": {
      "Henrik Dahl": [
        { days_ago: 0.6, severity: "low", description: "Argument at dinner, calmed by staff." },
        { days_ago: 52, severity: "medium", description: "Minor burn from a hot cup. First aid given.", old: true },
      ],
    },
    "Mill Street": {
      "Grace Tan": [
        { days_ago: 9, severity: "high", description: "Seizure of three minutes. Ambulance attended." },
        { days_ago: 47, severity: "low", description: "Wheelchair brake found loose; repaired.", old: true },
      ],
    },
  },
};

const DAY_MS = 24 * 60 * 60 * 1000;

/** Fill an empty deployment with something to look at; return how many incidents it added. */
export const demo = internalMutation({
  args: {},
  returns: v.number(),
  handler: async (ctx) => {
    if (await ctx.db.query("companies").first()) return 0;
    let added = 0;
    for (const [company, sites] of Object.entries(DEMO)) {
      const company_id = await ctx.db.insert("companies", { name: company });
      for (const [site, participants] of Object.entries(sites)) {
        const site_id = await ctx.db.insert("sites", { company_id, name: site });
        for (const [participant, incidents] of Object.entries(participants)) {
          const participant_id = await ctx.db.insert("participants", { site_id, name: participant });
          for (const { days_ago, old, ...incident } of incidents) {
            await ctx.db.insert("incidents", {
              ...incident,
              company_id,
              ...(old ? {} : { site_id }),
              participant_id,
              reported_at: Date.now() - days_ago * DAY_MS,
            });
            added += 1;
          }
        }
      }
    }
    return added;
  },
});
