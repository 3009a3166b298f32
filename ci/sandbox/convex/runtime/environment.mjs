// The environment that pushed code sees: that of the component whose function runs, and of the app while a module loads.
import { AsyncLocalStorage } from "node:async_hooks";

const component = new AsyncLocalStorage();
let environments = new Map();
const nothing = {};

/** Set what functions see, by the path of their component. */
export function setEnvironments(mounts) {
  environments = new Map(mounts.map(({ path, variables }) => [path, { ...variables }]));
}

/** Run what belongs to the component of this path. */
export function runIn(path, work) {
  return component.run(path, work);
}

/** Return the path of the component whose function runs; "" is the app. */
export function currentComponent() {
  return component.getStore() ?? "";
}

const seen = () => environments.get(currentComponent()) ?? nothing;

process.env = new Proxy({}, {
  get: (_, name) => seen()[name],
  has: (_, name) => name in seen(),
  set: (_, name, value) => Reflect.set(seen(), name, String(value)),
  deleteProperty: (_, name) => delete seen()[name],
  ownKeys: () => Reflect.ownKeys(seen()),
  getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(seen(), name),
});
