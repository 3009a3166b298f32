import { api } from "@example/convex/api";
import type { Id } from "@example/convex/dataModel";
import { useMutation, useQuery } from "convex/react";
import type { FunctionArgs, FunctionReturnType } from "convex/server";
import { ConvexError } from "convex/values";
import { type FormEvent, useState } from "react";

type Report = FunctionArgs<typeof api.incidents.report>;
type Sites = FunctionReturnType<typeof api.sites.list.listCompanySites>;

export function ReportForm({ sites }: { sites: Sites }) {
  const report = useMutation(api.incidents.report);
  const [site_id, setSite] = useState<Id<"sites"> | "">("");
  const [outcome, setOutcome] = useState("");
  const [sending, setSending] = useState(false);
  const participants = useQuery(api.participants.listBySite, site_id ? { site_id } : "skip");

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (sending) return;
    const form = event.currentTarget;
    setSending(true);
    setOutcome("");
    try {
      await report(Object.fromEntries(new FormData(form)) as Report);
      form.reset();
      setSite("");
      setOutcome("Incident reported.");
    } catch (error) {
      if (!(error instanceof ConvexError)) console.error(error);
      setOutcome(error instanceof ConvexError ? String(error.data) : "The incident could not be reported.");
    } finally {
      setSending(false);
    }
  }

  return (
    <form className="report" aria-labelledby="report" onSubmit={submit}>
      <h2 id="report">Report an incident</h2>
      <label className="field">
        Site
        <select required value={site_id} onChange={(event) => setSite(event.target.value as Id<"sites">)}>
          <option value="">Choose a site</option>
          {sites.map(({ _id, name }) => (
            <option key={_id} value={_id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        Participant
        <select key={site_id} name="participant_id" required disabled={!participants} defaultValue="">
          <option value="">Choose a participant</option>
          {participants?.map(({ _id, name }) => (
            <option key={_id} value={_id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        Severity
        <select name="severity" required defaultValue="">
          <option value="">Choose a severity</option>
          <option value="low">Low</option>
          <option value="medium">Medium</option>
          <option value="high">High</option>
        </select>
      </label>
      <label className="field">
        Description
        <textarea name="description" required rows={3} maxLength={500} />
      </label>
      <button type="submit" aria-disabled={sending}>
        {sending ? "Sending…" : "Report"}
      </button>
      <output>{outcome}</output>
    </form>
  );
}
