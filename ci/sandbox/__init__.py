"""A Convex cloud and a Cloudflare Pages on loopback, for the real CLIs and for browsers."""
