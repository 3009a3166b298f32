from shapely import convex_hull

tree.query("a:b")  # OK: nothing of Convex
