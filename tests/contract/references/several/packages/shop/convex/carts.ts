import { internal } from "./_generated/api"
ctx.runMutation(internal.carts.clean) // FOUND: internal member carts:clean in packages/shop/convex
