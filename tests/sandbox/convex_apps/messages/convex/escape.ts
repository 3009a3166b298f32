"use node";

import { spawnSync } from "node:child_process";
import { writeFileSync, readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { actionGeneric as action } from "convex/server";

export const hash = action({ args: {}, handler: async () => createHash("sha256").update("a").digest("hex").slice(0, 8) });
export const read = action({ args: {}, handler: async () => readFileSync("/etc/passwd", "utf8") });
export const write = action({ args: {}, handler: async () => writeFileSync("escaped.txt", "") });
export const spawn = action({ args: {}, handler: async () => spawnSync("true").error?.message ?? "spawned" });
export const exit = action({ args: {}, handler: async () => process.exit(1) });
