import { Client } from "pg"
import { ApolloClient } from "@apollo/client"
import { QueryClient } from "@tanstack/react-query"
import { ConvexHttpClient } from "convex/browser"
import { anyApi, query } from "convex/server"

const pg = new Client()
await pg.query(sql) // OK: Postgres
const client = new ApolloClient({})
await client.query({ query: LIST }) // OK: Apollo
new QueryClient().prefetchQuery(options) // OK: TanStack's
form.action(name)
export const list = query(handler) // OK: makes a function
const convex = new ConvexHttpClient(url)
convex.setAuth(token)
