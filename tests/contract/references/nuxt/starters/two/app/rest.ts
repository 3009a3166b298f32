import { api } from "@acme/rest/api"
import { client } from "@convex/api-client"
run(api.tasks.none, client.tasks.none) // OK: nothing of Convex
