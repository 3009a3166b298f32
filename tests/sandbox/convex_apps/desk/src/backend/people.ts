import { api } from "./_generated/api";
import { action, query } from "./_generated/server";

export const me = query({ args: {}, handler: async (ctx) => await ctx.auth.getUserIdentity() });

export const subject = query({ args: {}, handler: async (ctx) => (await ctx.auth.getUserIdentity())?.subject ?? null });

export const subjectInAction = action({ args: {}, handler: async (ctx): Promise<string | null> => await ctx.runQuery(api.people.subject, {}) });
