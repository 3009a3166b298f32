import { api } from "@acme/shop/convex/_generated/api"
import { api as admin } from "../../../packages/admin/convex/_generated/api"
import { api as copy } from "../convex/_generated/api"
import { makeFunctionReference } from "convex/server"

run(api.carts.get) // FOUND: member carts:get in packages/shop/convex
run(admin.users.get) // FOUND: member users:get in packages/admin/convex
run(copy.carts.get) // FOUND: member carts:get in nowhere
run(makeFunctionReference("carts:unclear")) // FOUND: makeFunctionReference carts:unclear in nowhere
