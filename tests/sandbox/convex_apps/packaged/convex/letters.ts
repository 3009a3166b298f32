import { MINUTE, RateLimiter } from "@convex-dev/rate-limiter";
import { Workpool, vOnCompleteArgs } from "@convex-dev/workpool";
import { v } from "convex/values";
import { components, internal } from "./_generated/api";
import { internalAction, internalMutation, mutation, query } from "./_generated/server";

const limiter = new RateLimiter(components.rateLimiter, { send: { kind: "token bucket", rate: 2, period: MINUTE } });
const pool = new Workpool(components.mailPool, { maxParallelism: 2 });

export const write = mutation({
  args: { to: v.string() },
  returns: v.boolean(),
  handler: async (ctx, args) => {
    const { ok } = await limiter.limit(ctx, "send", { key: args.to });
    if (ok) await ctx.db.insert("letters", args);
    return ok;
  },
});

export const post = mutation({
  args: { to: v.string() },
  handler: async (ctx, args) => {
    const letter = await ctx.db.insert("letters", args);
    await pool.enqueueAction(ctx, internal.letters.deliver, args, { onComplete: internal.letters.delivered, context: letter });
  },
});

export const deliver = internalAction({ args: { to: v.string() }, handler: async (_, args) => `brought to ${args.to}` });

export const delivered = internalMutation({
  args: vOnCompleteArgs(v.id("letters")),
  handler: async (ctx, { context, result }) => {
    await ctx.db.patch(context, { state: result.kind === "success" ? String(result.returnValue) : result.kind });
  },
});

export const states = query({
  args: { to: v.string() },
  handler: async (ctx, args) => {
    const found = await ctx.db.query("letters").filter((q) => q.eq(q.field("to"), args.to)).collect();
    return found.map((letter) => letter.state ?? null);
  },
});
