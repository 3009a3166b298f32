const { api } = await import("../convex/_generated/api")
useQuery(api.a.one) // FOUND: member a:one
const two = (await import("../convex/_generated/api")).api.a.two // FOUND: member a:two
import("../convex/_generated/api").then(({ api: later }) => run(later.a.three)) // FOUND: member a:three
import("../convex/_generated/api").then((module) => run(module.api.a.four)) // FOUND: member a:four
import("../convex/_generated/api").then(function (found) { return found.api.a.five }) // FOUND: member a:five
const type: typeof import("../convex/_generated/api").api.a.six = null // FOUND: typeof a:six
import("./other").then(({ api }) => api.a.none) // OK: another module
async function first() {
  const api = await import("../convex/_generated/api").then((m) => m.api)
  return api.a.resolved // FOUND: member a:resolved
}
const m = api
m.a.again // FOUND: member a:again
