import { ConvexClient, ConvexHttpClient } from "convex/browser"
import type { ConvexReactClient } from "convex/react"
import { useConvex } from "convex/react"
import { LIST, NAMES, page, read } from "./lib/names"
import { convex } from "./lib/client"
import { api } from "../convex/_generated/api"

const http = new ConvexHttpClient(url)
await http.query(name) // DYNAMIC:
await http.query(name, { id }) // DYNAMIC:
await http.mutation<any>(name as any) // DYNAMIC:
await http.action(pick(name)) // DYNAMIC:
await http.query(`sites:${name}`) // DYNAMIC: sites
await http.query("deep/sites:" + name) // DYNAMIC: deep/sites
await http.query(`deep/${name}`) // DYNAMIC: deep
await http.query(process.env.FUNCTION) // DYNAMIC:
await http.query(LIST) // FOUND: string messages:list
await http.query(NAMES.page) // FOUND: string messages:page
await http.query(NAMES[name]) // DYNAMIC:
await http.query(own) // FOUND: string messages:own
await http.query("messages") // FOUND: string messages:default
await http.query("select 1") // OK: no function's name
convex.onUpdate(name, {}, show) // DYNAMIC:
new ConvexClient(url).query(name) // DYNAMIC:
useConvex().watchQuery(name) // DYNAMIC:
getConvexClient().mutation(name) // DYNAMIC:
export function send(client: ConvexReactClient, name: string) {
  return client.mutation(name) // DYNAMIC:
}
class Store {
  private server = new ConvexHttpClient(url)
  read(name: string) {
    return this.server.query(name) // DYNAMIC:
  }
}
let later: ConvexClient | null = null
later?.query(name) // DYNAMIC:
const own = "messages:own"

http.query(api.a.b, {}) // FOUND: member a:b
http.query(which ? api.a.b : api.a.c) // FOUND: member a:b, member a:c
const held = api.a.held // FOUND: member a:held
http.query(held)
const { taken } = api.a // FOUND: destructuring a:taken
http.query(taken)
for (const one of [api.a.one, api.a.two]) await http.query(one) // FOUND: member a:one, member a:two
const table = { list: api.a.list } // FOUND: member a:list
http.query(table[key])
http.query(page) // FOUND: member a:page
http.query(read.list)
let set
set = api.a.set // FOUND: member a:set
http.query(set)
function choose(key) {
  return { one: api.a.chosen }[key] // FOUND: member a:chosen
}
http.query(choose(name))
http.query(which ? "messages:one" : "messages:two") // FOUND: string messages:one, string messages:two
http.query(which ? api.a.skipped : "skip") // FOUND: member a:skipped
