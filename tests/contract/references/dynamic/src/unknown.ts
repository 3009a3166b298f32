import { api, internal } from "../convex/_generated/api"
import { makeFunctionReference } from "convex/server"

useQuery(api[table].list) // DYNAMIC:
useQuery(api.sites[name]) // DYNAMIC: sites
useQuery(api["sites"][`list${x}`]) // DYNAMIC: sites
useQuery(api.sites.list[name]) // DYNAMIC: sites/list
register(api) // DYNAMIC:
const copy = { ...api.sites, api } // DYNAMIC: sites | DYNAMIC:
type Api = typeof api // DYNAMIC:
Object.values(api.sites.list) // DYNAMIC: sites/list
const made = makeFunctionReference(name) // DYNAMIC:
const known = makeFunctionReference(`sites/${name}`) // DYNAMIC: sites
client.query(`sites:${name}`) // DYNAMIC: sites
export default api
export { api, internal }
