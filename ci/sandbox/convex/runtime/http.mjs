// HTTP actions: which route a request takes, and what its handler makes of it.

/** Return {component, prefix, router} for each mount that has routes: `httpPrefix` is where, if it is mounted at all. */
export function routers(mounts) {
  const served = mounts.map(({ path, httpPrefix, loaded }) => ({ component: path, prefix: httpPrefix, router: loaded.get("http.js")?.default }));
  return served.filter(({ prefix, router }) => prefix !== null && "isRouter" in Object(router));
}

/**
 * Return the component that answers a path, and the handler if it has one. An exact route of the app comes first, then
 * whatever matches the longest part of the path.
 * Source: crates/application/src/application_function_runner/http_routing.rs of convex-backend; read 2026-11-22.
 */
export function find(served, path, method) {
  const matches = served.filter(({ prefix }) => path.startsWith(prefix)).map((one) => match(one, path, method));
  const exact = matches.find(({ component, exact }) => component === "" && exact);
  return exact ?? matches.sort((a, b) => b.length - a.length)[0];
}

function match({ component, prefix, router }, path, method) {
  const [handler, , route] = router.lookup(`/${path.slice(prefix.length)}`, method) ?? [];
  const length = prefix.length + (route?.length ?? 0);
  return { component, handler, length, exact: route !== undefined && !route.endsWith("*") };
}

/** Return the answer of a handler in a form that JSON can carry. */
export async function packed(response) {
  if (!(response instanceof Response)) throw new Error("HTTP action did not return a Response");
  const body = Buffer.from(await response.arrayBuffer()).toString("base64");
  return { status: response.status, headers: [...response.headers], body };
}

/** Return an answer of plain text in the same form. */
export function text(status, words) {
  return { status, headers: [["content-type", "text/plain; charset=utf-8"]], body: Buffer.from(words).toString("base64") };
}
