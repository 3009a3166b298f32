import { v } from "convex/values";
import { query } from "../_generated/server";

export const listCompanySites = query({
  args: { company_id: v.id("companies") },
  returns: v.array(v.object({ _id: v.id("sites"), name: v.string() })),
  handler: async (ctx, { company_id }) => {
    const sites = await ctx.db
      .query("sites")
      .withIndex("by_company", (q) => q.eq("company_id", company_id))
      .collect();
    return sites.map(({ _id, name }) => ({ _id, name }));
  },
});
