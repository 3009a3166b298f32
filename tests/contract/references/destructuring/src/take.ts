import { api } from "../convex/_generated/api"

const { get, remove: drop = null } = api.users // FOUND: destructuring users:get, destructuring users:remove
const { users, sites: { list } } = api
useQuery(users.find) // FOUND: member users:find
useQuery(list.listCompanySites) // FOUND: member sites/list:listCompanySites
const { sites, ...others } = api // DYNAMIC:
const { list: byCompany } = sites
const { [key]: computed } = api.users // DYNAMIC: users
useQuery(byCompany.all) // FOUND: member sites/list:all
const { list: { nested } } = sites // FOUND: destructuring sites/list:nested
