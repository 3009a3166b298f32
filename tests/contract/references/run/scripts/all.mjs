import { execSync } from "node:child_process"
execSync("npx convex run seed:all --prod") // FOUND: internal run seed:all
// convex run seed:comment
execSync(`npx convex run seed:${name}`) // DYNAMIC: seed
