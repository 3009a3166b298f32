import { convexQuery, useConvexMutation } from "@convex-dev/react-query"
import { useStableQuery, wrap } from "./hooks"
import { api } from "../convex/_generated/api"

const one = useStableQuery(api.a.list, {}) // FOUND: member a:list
const two = useSuspenseQuery(convexQuery(api.a.get, { id })) // FOUND: member a:get
const three = wrap({ query: api.a.search, mutate: useConvexMutation(api.a.add) }) // FOUND: member a:search, member a:add
const four = [api.a.one, ...[api.a.two]] // FOUND: member a:one, member a:two
const five = ctx.runQuery(api.a.three).then((found) => found.api.a.four) // FOUND: member a:three
