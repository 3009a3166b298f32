import { remote } from "@root/backend"
import { api } from "$api"
import { api as based } from "lib/api"

run(remote.a.one) // FOUND: member a:one
run(api.a.two) // FOUND: member a:two
run(based.a.three) // FOUND: member a:three
