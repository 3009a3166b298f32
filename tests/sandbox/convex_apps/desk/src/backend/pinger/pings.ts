import { mutation } from "./_generated/server";

export const ping = mutation({
  args: {},
  handler: async (ctx) => {
    await ctx.db.insert("pings", {});
    return (await ctx.db.query("pings").collect()).length;
  },
});
