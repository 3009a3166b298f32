import { ConvexHttpClient } from "convex/browser"

export const client = new ConvexHttpClient(import.meta.env.VITE_CONVEX_URL)
client.query("messages:list", {}) // FOUND: string messages:list
client.mutation<any>("deep/er/messages.js:send") // FOUND: string deep/er/messages:send
client.action('messages:act') // FOUND: string messages:act
useQuery("messages:hook") // FOUND: string messages:hook
client.query(name) // DYNAMIC:
client.query("select 1") // OK: no function's name
const scopes = ["read:user", "repo:status"] // OK: no call
oauth.authorize("user:email") // OK: no client's method
console.log("messages:list") // OK
