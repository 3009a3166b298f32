import { v } from "convex/values";
import { internalMutation } from "./_generated/server";

/**
 * Give each incident that has no site the site of its participant; return how many it changed.
 *
 * One transaction, which is enough for a few thousand incidents. A second run finds none and changes nothing.
 */
export const backfillIncidentSites = internalMutation({
  args: {},
  returns: v.number(),
  handler: async (ctx) => {
    const incidents = await ctx.db
      .query("incidents")
      .withIndex("by_site", (q) => q.eq("site_id", undefined))
      .collect();
    for (const { _id, participant_id } of incidents) {
      const participant = await ctx.db.get(participant_id);
      if (!participant) throw new Error(`incident ${_id} names participant ${participant_id}, who does not exist`);
      await ctx.db.patch(_id, { site_id: participant.site_id });
    }
    return incidents.length;
  },
});
