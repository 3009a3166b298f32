from convex import ConvexClient
def f(:
