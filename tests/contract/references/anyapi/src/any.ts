import { anyApi as all, makeFunctionReference } from "convex/server"
import { makeFunctionReference as reference } from "convex/server"

run(all.a.one) // FOUND: member a:one
const api = all
run(api.a.two) // FOUND: member a:two
makeFunctionReference<"query", { id: string }>("a/b:three") // FOUND: makeFunctionReference a/b:three
reference("a") // FOUND: makeFunctionReference a:default
reference('a/b.js:four') // FOUND: makeFunctionReference a/b:four
