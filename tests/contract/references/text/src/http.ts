const url = process.env.CONVEX_URL

await fetch(`${url}/api/query`, {
  method: "POST",
  body: JSON.stringify({ path: "messages:over", args: {}, format: "json" }), // FOUND: http messages:over
})
await fetch(url + "/api/mutation", { body: JSON.stringify({ path: "deep/a.js:b", args: {} }) }) // FOUND: http deep/a:b
await fetch(`${url}/api/run/deep/messages/list`, { method: "POST" }) // FOUND: http deep/messages:list
await fetch(`${url}/api/action`, { body: JSON.stringify({ path, args: {} }) }) // DYNAMIC:
await fetch(`${url}/api/action`, { body: JSON.stringify({ path: name, args: {} }) }) // DYNAMIC:
const address = new URL("/api/query", url)
const body = { path: "messages:apart", args: {} } // FOUND: http messages:apart
await fetch(address, { method: "POST", body: JSON.stringify(body) })
await fetch(new URL("/api/query", url), { body: JSON.stringify({ path: KNOWN }) }) // FOUND: http messages:known
await axios.post(`${url}/api/query`, { path: "messages:axios", args: {} }) // FOUND: http messages:axios
isOurs("https://happy-otter-123.convex.cloud/api/query") // OK: sends nothing
const KNOWN = "messages:known"
