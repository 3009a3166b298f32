import { createFunctionHandle } from "convex/server";
import { v } from "convex/values";
import { components, internal } from "./_generated/api";
import { action, env, internalMutation, mutation, query } from "./_generated/server";

const name = v.string();

export const count = mutation({
  args: { name, fail: v.optional(v.boolean()) },
  returns: v.number(),
  handler: async (ctx, args) => {
    const value = await ctx.runMutation(components.counter.counts.add, { name: args.name });
    if (args.fail) throw new Error("not counted");
    return value;
  },
});

export const read = query({ args: { name }, handler: async (ctx, args) => await ctx.runQuery(components.counter.counts.read, args) });

export const readAnother = query({ args: { name }, handler: async (ctx, args) => await ctx.runQuery(components.another.counts.read, args) });

export const history = query({ args: { name }, handler: async (ctx, args) => await ctx.runQuery(components.counter.counts.history, args) });

export const countInAction = action({
  args: { name },
  handler: async (ctx, args): Promise<number> => {
    await ctx.runAction(components.counter.counts.addInAction, args);
    return await ctx.runQuery(components.counter.counts.read, args);
  },
});

export const countLater = mutation({
  args: { name, delayMs: v.number() },
  handler: async (ctx, { delayMs, ...args }) => {
    await ctx.runMutation(components.counter.counts.addLater, args);
    await ctx.scheduler.runAfter(delayMs, components.another.counts.add, args);
  },
});

export const countAndBeTold = mutation({
  args: { name },
  handler: async (ctx, args) => {
    const tell = await createFunctionHandle(internal.visits.beTold);
    await ctx.runMutation(components.counter.counts.addAndTell, { ...args, tell });
  },
});

export const beTold = internalMutation({
  args: { value: v.number() },
  handler: async (ctx, args) => {
    await ctx.db.insert("counts", { told: args.value });
  },
});

export const told = query({ args: {}, handler: async (ctx) => (await ctx.db.query("counts").collect()).map((count) => count.told) });

export const environments = query({
  args: {},
  handler: async (ctx) => ({
    app: env.STEP ?? null,
    counter: await ctx.runQuery(components.counter.counts.environment, {}),
    another: await ctx.runQuery(components.another.counts.environment, {}),
  }),
});
