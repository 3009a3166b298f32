import { upstream } from "@/server"
import { api } from "$api"
import { api as aliased } from "~convex/_generated/api"

run(upstream.a.four) // FOUND: member a:four
run(aliased.a.five) // FOUND: member a:five
api.a.none // OK: here the alias means another file
