import { api } from "../convex/_generated/api"

// api.comment.one
/* api.comment.two */
const text = "api.text.one" + `api.text.two` + 'useQuery(api.text.three)'
const pattern = /api.pattern.one/
const object = { api: 1, "api": 2 }
object.api.property.one // OK: a property
this.api.property.two // OK: a property
function parameter(api: any) {
  return api.parameter.one // OK: a parameter
}
const arrow = (api) => api.arrow.one // OK: a parameter
const single = api => api.arrow.two // OK: a parameter
const taken = ({ api }) => api.arrow.three // OK: a parameter
const renamed = ({ x: api = 1 }) => api.arrow.four // OK: a parameter
try { go() } catch (api) { api.caught.one() } // OK: an error
for (const api of apis) api.loop.one // OK: a variable
{
  const api = other()
  api.block.one // OK: a variable
}
function hoisted() {
  return api.a.found // FOUND: member a:found
}
type Signature = (api: string) => typeof api.a.also // OK: a parameter
interface Shape { api: { shape: { one: 1 } } }
const view = <p>api.jsx.text</p>
api.a.last // FOUND: member a:last
class Box { api = 1; read() { return this.api } }
label: api.a.labelled // FOUND: member a:labelled
