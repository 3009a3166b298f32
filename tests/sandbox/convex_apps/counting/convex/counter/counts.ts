import type { FunctionHandle } from "convex/server";
import { v } from "convex/values";
import { api, components, internal } from "./_generated/api";
import { action, env, internalMutation, mutation, type MutationCtx, query } from "./_generated/server";

const args = { name: v.string() };

async function increase(ctx: MutationCtx, name: string) {
  const found = await ctx.db.query("counts").withIndex("by_name", (q) => q.eq("name", name)).unique();
  const value = (found?.value ?? 0) + Number(env.STEP ?? 1);
  if (found) await ctx.db.patch(found._id, { value });
  else await ctx.db.insert("counts", { name, value });
  await ctx.runMutation(components.history.entries.add, { name, value });
  return value;
}

export const add = mutation({ args, returns: v.number(), handler: async (ctx, { name }) => await increase(ctx, name) });

export const addInAction = action({ args, handler: async (ctx, given): Promise<number> => await ctx.runMutation(api.counts.add, given) });

export const addLater = mutation({ args, handler: async (ctx, given) => void (await ctx.scheduler.runAfter(0, internal.counts.addNow, given)) });

export const addNow = internalMutation({ args, handler: async (ctx, { name }) => void (await increase(ctx, name)) });

export const addAndTell = mutation({
  args: { ...args, tell: v.string() },
  handler: async (ctx, { name, tell }) => {
    const value = await increase(ctx, name);
    await ctx.runMutation(tell as FunctionHandle<"mutation", { value: number }>, { value });
  },
});

export const read = query({
  args,
  returns: v.number(),
  handler: async (ctx, { name }) => (await ctx.db.query("counts").withIndex("by_name", (q) => q.eq("name", name)).unique())?.value ?? 0,
});

export const history = query({ args, returns: v.array(v.string()), handler: async (ctx, given) => await ctx.runQuery(components.history.entries.list, given) });

export const environment = query({ args: {}, handler: async () => ({ step: process.env.STEP ?? null, unit: process.env.UNIT ?? null, secret: process.env.SECRET ?? null }) });
