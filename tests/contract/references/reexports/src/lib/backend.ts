import { api } from "../../convex/_generated/api"
export { internal } from "../../convex/_generated/api"
export { api as server }
export const sites = api.sites
export const { list: listed } = api.sites
export const refs = { all: api.sites.list.all } // FOUND: member sites/list:all
export default api
