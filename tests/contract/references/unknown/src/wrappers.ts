import { useQuery } from "convex/react"
import { type FunctionReference, makeFunctionReference } from "convex/server"

export function useStable<Query extends FunctionReference<"query">>(query: Query, args: object) {
  return useQuery(query, args) // OK: whoever calls it has a reference, and is found
}
export const usePage = ({ query }: Props) => useQuery(query, {}) // OK: likewise
export const useNamed = (name: string) => useQuery(`sites:${name}`) // DYNAMIC: sites
const made = { list: makeFunctionReference<"query">("messages:made") } // FOUND: makeFunctionReference messages:made
export const useMade = () => useQuery(made.list, {}) // OK: found where it is made
export const useEither = (which: boolean) => useQuery(which ? made.list : other ?? made.list, {}) // OK: found where it is made
declare const other: FunctionReference<"query">
export const call = async (convexMutation: (args: object) => void) => convexMutation({ id: 1 }) // OK: the caller's own
