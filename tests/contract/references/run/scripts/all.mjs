import { execSync } from "node:child_process"
execSync("npx convex run seed:all --prod") // FOUND: internal run seed:all
// convex run seed:comment
throw new Error(`no output of convex run output:\n${output}`) // OK: a sentence
console.log("convex run failed") // OK: a sentence
console.log("type npx convex run seed:hint") // OK: a sentence
exec("cd app && CI=1 node_modules/.bin/convex run seed:bin") // FOUND: internal run seed:bin
execSync(`npx convex run seed:${name}`) // DYNAMIC: seed
