"""A stand-in for Cloudflare Pages: the API that wrangler and a release call, and the sites themselves."""
