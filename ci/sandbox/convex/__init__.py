"""A Convex cloud: a provision host and deployments, for the real CLI and the real clients."""
