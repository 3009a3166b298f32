import { useQuery } from "convex/react"
export const useNamed = (name) => useQuery(name) // DYNAMIC:
