await fetch("/api/query", { body: JSON.stringify({ path: "/users" }) }) // OK: an endpoint of its own
