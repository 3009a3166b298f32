import { v } from "convex/values";
import { env, mutation, query } from "./_generated/server";

export const add = mutation({
  args: { name: v.string(), value: v.number() },
  handler: async (ctx, args) => {
    await ctx.db.insert("entries", { name: args.name, text: `${args.value} ${env.UNIT ?? "times"}` });
  },
});

export const list = query({
  args: { name: v.string() },
  returns: v.array(v.string()),
  handler: async (ctx, args) => {
    const found = await ctx.db.query("entries").filter((q) => q.eq(q.field("name"), args.name)).collect();
    return found.map((entry) => entry.text);
  },
});
