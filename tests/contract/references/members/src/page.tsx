import { api } from "../convex/_generated/api"
import { useQuery } from "convex/react"

export function Page(props: { show: boolean }) {
  const plain = useQuery(api.sites.list.listCompanySites, {}) // FOUND: member sites/list:listCompanySites
  const optional = useQuery(api?.messages.list) // FOUND: member messages:list
  const quoted = useQuery(api["messages"].send) // FOUND: subscript messages:send
  const template = useQuery(api[`messages`]["edit"]) // FOUND: subscript messages:edit
  const cast = useQuery((api as any).messages.remove) // FOUND: member messages:remove
  const twice = useQuery((api as unknown as { a: any }).messages.pin!) // FOUND: member messages:pin
  const sure = useQuery(api!.messages!.star) // FOUND: member messages:star
  const chosen = useQuery(props.show ? api.users.get : "skip") // FOUND: member users:get
  const either = useQuery(props.show ? api.users.a : api.users.b) // FOUND: member users:a, member users:b
  const broken = useQuery(
    api
      .users // the chain begins a line above
      .spread,
  )
  return <List action={api.users.rename} label="api.users.none" /> // FOUND: member users:rename
}

type Returned = FunctionReturnType<typeof api.users.get> // FOUND: typeof users:get
type Looked = (typeof api)["users"]["find"] // FOUND: typeof users:find
type Arguments = (typeof api.users.get)["_args"] // FOUND: typeof users:get
const type = api.users.get._returnType // FOUND: member users:get
const satisfied = { get: api.users.get satisfies object } // FOUND: member users:get
