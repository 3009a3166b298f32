import { ConvexProvider, ConvexReactClient, useConvexConnectionState } from "convex/react";
import { type ReactNode, useState } from "react";

/** Connect everything inside to the backend that this site was built for. */
export function Backend({ url, children }: { url: string | undefined; children: ReactNode }) {
  const [client] = useState(() => connect(url));
  return <ConvexProvider client={client}>{children}</ConvexProvider>;
}

function connect(url: string | undefined) {
  if (!url) throw new Error("This site was built without VITE_CONVEX_URL, so it knows no backend.");
  return new ConvexReactClient(url);
}

/** Say whether what the page shows is live. */
export function Connection() {
  const { isWebSocketConnected, hasEverConnected } = useConvexConnectionState();
  const state = isWebSocketConnected ? "Live" : hasEverConnected ? "Reconnecting…" : "Connecting…";
  return (
    <output className="connection" data-live={isWebSocketConnected}>
      {state}
    </output>
  );
}
