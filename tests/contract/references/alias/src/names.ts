import { api as backend, internal as hidden } from "../convex/_generated/api"
import * as generated from "../convex/_generated/api"

const sites = backend.sites.list // FOUND: member sites:list
const module = backend.sites
const cast = backend.sites as any
let root = generated.api
useQuery(sites)
useQuery(module.get) // FOUND: member sites:get
useQuery(cast.put) // FOUND: member sites:put
useQuery(root.sites.drop) // FOUND: member sites:drop
useQuery(generated.api.sites.all) // FOUND: member sites:all

function inner() {
  const module = { get: "something else" }
  return module.get // OK: a name of its own
}
