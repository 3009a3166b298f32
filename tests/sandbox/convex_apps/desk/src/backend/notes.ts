import { v } from "convex/values";
import { internalMutation, query } from "./_generated/server";

export const add = internalMutation({ args: { text: v.string() }, handler: async (ctx, args) => void (await ctx.db.insert("notes", args)) });

export const list = query({ args: {}, handler: async (ctx) => (await ctx.db.query("notes").collect()).map((note) => note.text) });
