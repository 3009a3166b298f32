import { mutationGeneric as mutation, paginationOptsValidator, queryGeneric as query } from "convex/server";
import { ConvexError, v } from "convex/values";

const room = v.string();

export const list = query({
  args: { room },
  returns: v.array(v.string()),
  handler: async (ctx, args) => {
    const found = await ctx.db.query("messages").withIndex("by_room", (q) => q.eq("room", args.room)).collect();
    return found.map((message) => message.text);
  },
});

export const page = query({
  args: { room, paginationOpts: paginationOptsValidator },
  handler: async (ctx, args) =>
    await ctx.db.query("messages").withIndex("by_room", (q) => q.eq("room", args.room)).order("desc").paginate(args.paginationOpts),
});

export const send = mutation({
  args: { room, text: v.string() },
  returns: v.null(),
  handler: async (ctx, args) => {
    console.log("sending", args.text, { room: args.room });
    await ctx.db.insert("messages", args);
    return null;
  },
});

export const clear = mutation({
  args: { room },
  handler: async (ctx, args) => {
    const found = await ctx.db.query("messages").withIndex("by_room", (q) => q.eq("room", args.room)).collect();
    for (const message of found) await ctx.db.delete(message._id);
  },
});

export const sendAndThrow = mutation({
  args: { room },
  handler: async (ctx, args) => {
    await ctx.db.insert("messages", { room: args.room, text: "never" });
    throw new Error("no room left");
  },
});

export const sendAndReturnNonsense = mutation({
  args: { room },
  returns: v.null(),
  handler: async (ctx, args) => (await ctx.db.insert("messages", { room: args.room, text: "never" })) as unknown as null,
});

export const refuse = query({
  args: {},
  handler: async () => {
    throw new ConvexError({ code: 7n, reason: "closed" });
  },
});

export const values = query({
  args: {},
  handler: async () => ({ big: 12345678901n, bytes: new Uint8Array([1, 2]).buffer, infinite: Infinity }),
});

export const greeting = query({ args: {}, handler: async () => process.env.GREETING ?? null });

// What the generated `api` is: it answers to any name, and is no function.
export { anyApi as api } from "convex/server";
