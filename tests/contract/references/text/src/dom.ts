export const found = root.query("li:hover") // OK: nothing here is Convex's
