import { execSync } from "node:child_process";

if (process.env.CONVEX_DEPLOY_KEY) execSync("npx convex codegen", { stdio: "inherit" });
