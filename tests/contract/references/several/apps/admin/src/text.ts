import { ConvexHttpClient } from "convex/browser"
new ConvexHttpClient(url).query("users:text") // FOUND: string users:text in packages/admin/convex
