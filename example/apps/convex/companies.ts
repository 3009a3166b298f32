import { v } from "convex/values";
import { query } from "./_generated/server";

export const list = query({
  args: {},
  returns: v.array(v.object({ _id: v.id("companies"), name: v.string() })),
  handler: async (ctx) => {
    const companies = await ctx.db.query("companies").withIndex("by_name").collect();
    return companies.map(({ _id, name }) => ({ _id, name }));
  },
});
