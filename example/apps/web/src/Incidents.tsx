import { api } from "@example/convex/api";
import type { Id } from "@example/convex/dataModel";
import { useQuery } from "convex/react";
import type { FunctionReturnType } from "convex/server";

type Incident = FunctionReturnType<typeof api.incidents.list>[number];

const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function Incidents(wanted: { company_id: Id<"companies">; site_id: Id<"sites"> | undefined }) {
  const incidents = useQuery(api.incidents.list, wanted);
  if (!incidents) return <p className="note">Loading incidents…</p>;
  return (
    <>
      {incidents.length === 0 && <p className="note">No incident has been reported here.</p>}
      <ul className="incidents" aria-label="Incidents" aria-live="polite">
        {incidents.map((incident) => (
          <Card key={incident._id} incident={incident} />
        ))}
      </ul>
    </>
  );
}

function Card({ incident }: { incident: Incident }) {
  const { description, severity, participant, site, reported_at } = incident;
  return (
    <li>
      <p className="description">
        <span className="severity" data-severity={severity}>
          {severity}
        </span>
        {description}
      </p>
      <p className="facts">
        {participant} · {site ?? "site not recorded"} ·{" "}
        <time dateTime={new Date(reported_at).toISOString()}>{WHEN.format(reported_at)}</time>
      </p>
    </li>
  );
}
