import { api } from "@acme/admin/convex/_generated/api"
run(api.users.list) // FOUND: member users:list in packages/admin/convex
