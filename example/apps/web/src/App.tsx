import { api } from "@example/convex/api";
import type { Id } from "@example/convex/dataModel";
import { useQuery } from "convex/react";
import { useState } from "react";
import { Connection } from "./Backend";
import { Failure } from "./Failure";
import { Incidents } from "./Incidents";
import { ReportForm } from "./ReportForm";

export function App() {
  return (
    <>
      <header>
        <h1>Incidents</h1>
        <Connection />
      </header>
      <Failure>
        <Companies />
      </Failure>
    </>
  );
}

function Companies() {
  const companies = useQuery(api.companies.list);
  const [chosen, choose] = useState<Id<"companies">>();
  if (!companies) return <p className="note">Loading companies…</p>;
  const company_id = chosen ?? companies[0]?._id;
  if (!company_id) return <p className="note">There is no company yet.</p>;
  return (
    <main>
      <label className="field company">
        Company
        <select value={company_id} onChange={(event) => choose(event.target.value as Id<"companies">)}>
          {companies.map(({ _id, name }) => (
            <option key={_id} value={_id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <Company key={company_id} company_id={company_id} />
    </main>
  );
}

function Company({ company_id }: { company_id: Id<"companies"> }) {
  const sites = useQuery(api.sites.list.listCompanySites, { company_id });
  const [site_id, filter] = useState<Id<"sites">>();
  if (!sites) return <p className="note">Loading sites…</p>;
  return (
    <div className="columns">
      <div>
        <fieldset className="sites">
          <legend>Site</legend>
          {[{ _id: undefined, name: "All sites" }, ...sites].map(({ _id, name }) => (
            <label key={_id ?? "all"}>
              <input type="radio" name="site-filter" checked={_id === site_id} onChange={() => filter(_id)} />
              {name}
            </label>
          ))}
        </fieldset>
        <Incidents key={site_id} company_id={company_id} site_id={site_id} />
      </div>
      <ReportForm sites={sites} />
    </div>
  );
}
