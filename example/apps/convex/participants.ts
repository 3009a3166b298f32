import { v } from "convex/values";
import { query } from "./_generated/server";

export const listBySite = query({
  args: { site_id: v.id("sites") },
  returns: v.array(v.object({ _id: v.id("participants"), name: v.string() })),
  handler: async (ctx, { site_id }) => {
    const participants = await ctx.db
      .query("participants")
      .withIndex("by_site", (q) => q.eq("site_id", site_id))
      .collect();
    return participants.map(({ _id, name }) => ({ _id, name }));
  },
});
