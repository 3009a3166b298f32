import { actionGeneric as action, anyApi, internalMutationGeneric as internalMutation, mutationGeneric as mutation, queryGeneric as query } from "convex/server";
import { v } from "convex/values";

export const schedule = mutation({
  args: { room: v.string(), text: v.string(), delayMs: v.number() },
  handler: async (ctx, args) => {
    await ctx.scheduler.runAfter(args.delayMs, anyApi.messages.send, { room: args.room, text: args.text });
  },
});

export const scheduled = query({
  args: {},
  handler: async (ctx) => (await ctx.db.system.query("_scheduled_functions").collect()).map((job) => job.state.kind),
});

export const relay = action({
  args: { room: v.string() },
  handler: async (ctx, args) => {
    await ctx.runMutation(anyApi.messages.send, { room: args.room, text: "from an action" });
    return await ctx.runQuery(anyApi.messages.list, { room: args.room });
  },
});

export const wait = action({ args: { ms: v.number() }, handler: async (_, args) => await new Promise((done) => setTimeout(done, args.ms)) });

export const computeForEver = query({
  args: {},
  handler: async () => {
    for (;;);
  },
});

export const forgetAPromise = action({
  args: {},
  handler: async () => {
    void Promise.reject(new Error("forgotten"));
    return "done";
  },
});

export const count = internalMutation({ args: {}, handler: async (ctx) => (await ctx.db.query("messages").collect()).length });
