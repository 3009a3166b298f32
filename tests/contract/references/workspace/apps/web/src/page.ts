import { api } from "@acme/backend"
import { api as direct } from "@acme/backend/api"
import { api as starred } from "@acme/backend/convex/_generated/api"
import { tasks } from "@acme/backend/hooks"
import { api as plain } from "plain"
import { api as deep } from "@acme/deep"
import { api as hash } from "#api"
import { jobs } from "#lib/own"

run(api.sites.one) // FOUND: member sites:one
run(direct.sites.two) // FOUND: member sites:two
run(starred.sites.three) // FOUND: member sites:three
run(tasks.four) // FOUND: member tasks:four
run(plain.sites.five) // FOUND: member sites:five
run(deep.sites.six) // FOUND: member sites:six
run(hash.sites.seven) // FOUND: member sites:seven
run(jobs.eight) // FOUND: member tasks:eight
