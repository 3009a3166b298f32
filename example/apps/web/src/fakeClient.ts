import type { ConvexReactClient } from "convex/react";
import { type FunctionReference, getFunctionName } from "convex/server";

export type Args = Record<string, string>;
export type Functions = Record<string, (args: Args) => unknown>;

const LIVE = { isWebSocketConnected: true, hasEverConnected: true };

/**
 * Stand in for ConvexReactClient: a table of functions by name answers, and queries are asked again after a mutation.
 *
 * A query that returns undefined is loading, one that throws has failed.
 */
export function fakeClient(functions: Functions, connection = LIVE) {
  const watchers = new Set<() => void>();
  function call(reference: FunctionReference<"query" | "mutation">, args: Args) {
    const name = getFunctionName(reference);
    const found = functions[name];
    if (!found) throw new Error(`Could not find function for '${name}'`);
    return found(args);
  }
  const client = {
    connectionState: () => connection,
    subscribeToConnectionState: () => () => {},
    watchQuery: (...query: Parameters<typeof call>) => ({
      journal: () => undefined,
      localQueryResult: () => call(...query),
      onUpdate: (watcher: () => void) => {
        watchers.add(watcher);
        return () => watchers.delete(watcher);
      },
    }),
    mutation: async (...mutation: Parameters<typeof call>) => {
      call(...mutation);
      for (const watcher of watchers) watcher();
    },
  };
  return client as unknown as ConvexReactClient;
}
