import { convexQuery, useConvexMutation } from "@convex-dev/react-query"
import { fetchQuery, preloadQuery } from "convex/nextjs"
import { useMutation, usePreloadedQuery, useQuery } from "convex/react"
import { useQuery as useCached } from "convex-helpers/react/cache"
import { useQuery as useOther } from "@tanstack/react-query"

useQuery(name) // DYNAMIC:
useMutation(names[at]) // DYNAMIC:
useCached(name) // DYNAMIC:
fetchQuery(name) // DYNAMIC:
preloadQuery(name) // DYNAMIC:
useSuspenseQuery(convexQuery(name, {})) // DYNAMIC:
useConvexMutation(name) // DYNAMIC:
usePreloadedQuery(props.preloaded) // OK: what was loaded, no function
useOther({ queryKey: [name] }) // OK: another library's
useOther(options) // OK: another library's
