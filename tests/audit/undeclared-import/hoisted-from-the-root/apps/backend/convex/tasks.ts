import { z } from "zod"; // NOT OK: only the root declares it
import { query } from "./_generated/server";
import { v } from "convex/values"; // OK

export const list = query({ args: { status: v.string() }, handler: async () => z.string() });
