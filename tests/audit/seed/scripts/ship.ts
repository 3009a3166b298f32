import { execSync } from "node:child_process"
execSync("npx convex deploy")
