import { upstream } from "@/lib/server"
import { upstream as tilde } from "~/lib/server"
import { upstream as svelte } from "$lib/server"
import { api } from "convex/_generated/api"

run(upstream.a.six) // FOUND: member a:six
run(tilde.a.seven) // FOUND: member a:seven
run(svelte.a.eight) // FOUND: member a:eight
run(api.a.nine) // FOUND: member a:nine
