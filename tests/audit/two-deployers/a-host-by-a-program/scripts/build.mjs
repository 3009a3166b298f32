import { execSync } from "node:child_process";

if (process.env.VERCEL_ENV === "production") execSync("npx convex deploy", { stdio: "inherit" });
execSync("npx vite build", { stdio: "inherit" });
