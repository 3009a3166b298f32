import { ConvexError, v } from "convex/values";
import type { Doc } from "./_generated/dataModel";
import { mutation, query, type QueryCtx } from "./_generated/server";
import { severity } from "./schema";

const SHOWN = 100;

/** List the newest incidents of a company, or of one of its sites. */
export const list = query({
  args: { company_id: v.id("companies"), site_id: v.optional(v.id("sites")) },
  returns: v.array(
    v.object({
      _id: v.id("incidents"),
      site: v.union(v.string(), v.null()),
      participant: v.string(),
      severity,
      description: v.string(),
      reported_at: v.number(),
    }),
  ),
  handler: async (ctx, { company_id, site_id }) => {
    const incidents = ctx.db.query("incidents");
    const wanted = site_id
      ? incidents.withIndex("by_company_and_site", (q) =>
          q.eq("company_id", company_id).eq("site_id", site_id),
        )
      : incidents.withIndex("by_company", (q) => q.eq("company_id", company_id));
    const newest = await wanted.order("desc").take(SHOWN);
    return Promise.all(newest.map((incident) => withNames(ctx, incident)));
  },
});

async function withNames(ctx: QueryCtx, incident: Doc<"incidents">) {
  const { _id, severity, description, reported_at } = incident;
  const site = incident.site_id ? await ctx.db.get(incident.site_id) : null;
  const participant = await ctx.db.get(incident.participant_id);
  return {
    _id,
    site: site?.name ?? null,
    participant: participant?.name ?? "Unknown",
    severity,
    description,
    reported_at,
  };
}

/** Report an incident at the participant's site. */
export const report = mutation({
  args: { participant_id: v.id("participants"), severity, description: v.string() },
  returns: v.id("incidents"),
  handler: async (ctx, { participant_id, severity, description }) => {
    const participant = await ctx.db.get(participant_id);
    const site = participant && (await ctx.db.get(participant.site_id));
    if (!site) throw new ConvexError("This participant is no longer at any site.");
    if (!description.trim()) throw new ConvexError("Describe what happened.");
    return ctx.db.insert("incidents", {
      company_id: site.company_id,
      site_id: site._id,
      participant_id,
      severity,
      description: description.trim(),
      reported_at: Date.now(),
    });
  },
});
