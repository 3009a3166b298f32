import { cleanup, render, screen, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { ConvexProvider } from "convex/react";
import { ConvexError } from "convex/values";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { App } from "./App";
import { Backend } from "./Backend";
import { Failure } from "./Failure";
import { type Args, fakeClient, type Functions } from "./fakeClient";

const COMPANIES = [
  { _id: "harbour", name: "Harbour Care" },
  { _id: "north", name: "Northside Support" },
];
const SITES: Record<string, { _id: string; name: string }[]> = {
  harbour: [
    { _id: "banksia", name: "Banksia House" },
    { _id: "jetty", name: "Jetty Road" },
  ],
  north: [],
};

function incident(company: string, site: string | null, description: string) {
  return { _id: description, company, site, participant: "Tom", severity: "low", description, reported_at: 0 };
}

function backend() {
  const incidents = [
    incident("harbour", "Banksia House", "Slipped in the kitchen"),
    incident("harbour", null, "Upset for an hour"),
  ];
  return {
    "companies:list": () => COMPANIES,
    "sites/list:listCompanySites": ({ company_id }: Args) => SITES[company_id!],
    "participants:listBySite": () => [{ _id: "tom", name: "Tom" }],
    "incidents:list": ({ company_id, site_id }: Args) => {
      const site = SITES[company_id!]!.find(({ _id }) => _id === site_id)?.name;
      return incidents.filter((found) => found.company === company_id && (!site || found.site === site));
    },
    "incidents:report": vi.fn<(args: Args) => void>(({ description }) => {
      incidents.unshift(incident("harbour", "Jetty Road", description!));
    }),
  };
}

function open(...given: Parameters<typeof fakeClient>) {
  render(
    <ConvexProvider client={fakeClient(...given)}>
      <App />
    </ConvexProvider>,
  );
}

function shownIncidents() {
  const list = screen.getByRole("list", { name: "Incidents" });
  return within(list)
    .queryAllByRole("listitem")
    .map((item) => item.querySelector(".description")?.lastChild?.textContent);
}

async function fillIn(description: string) {
  const user = userEvent.setup();
  const form = within(screen.getByRole("form", { name: "Report an incident" }));
  await user.selectOptions(form.getByLabelText("Site"), "Jetty Road");
  await user.selectOptions(form.getByLabelText("Participant"), "Tom");
  await user.selectOptions(form.getByLabelText("Severity"), "High");
  await user.type(form.getByLabelText("Description"), description);
  await user.click(form.getByRole("button", { name: "Report" }));
  return form;
}

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
});

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

test("the first company is shown with its sites and incidents", () => {
  open(backend());
  expect(screen.getAllByRole("radio").map((radio) => radio.parentElement?.textContent)).toEqual([
    "All sites",
    "Banksia House",
    "Jetty Road",
  ]);
  expect(shownIncidents()).toEqual(["Slipped in the kitchen", "Upset for an hour"]);
});

test("a site shows its own incidents only", async () => {
  open(backend());
  await userEvent.click(screen.getByRole("radio", { name: "Banksia House" }));
  expect(shownIncidents()).toEqual(["Slipped in the kitchen"]);
});

test("a company without incidents says so", async () => {
  open(backend());
  await userEvent.selectOptions(screen.getByLabelText("Company"), "Northside Support");
  expect(shownIncidents()).toEqual([]);
  expect(screen.getByText("No incident has been reported here.")).toBeDefined();
});

test("a reported incident appears in the list and the form is empty again", async () => {
  const functions = backend();
  open(functions);
  const form = await fillIn("Fell in the garden");
  expect(functions["incidents:report"].mock.calls).toEqual([
    [{ participant_id: "tom", severity: "high", description: "Fell in the garden" }],
  ]);
  expect(shownIncidents()).toEqual(["Fell in the garden", "Slipped in the kitchen", "Upset for an hour"]);
  expect(form.getByRole("status").textContent).toBe("Incident reported.");
  expect(form.getByLabelText<HTMLTextAreaElement>("Description").value).toBe("");
});

test("a refused report says why and keeps what was typed", async () => {
  const refuse = () => {
    throw new ConvexError("Describe what happened.");
  };
  open({ ...backend(), "incidents:report": refuse });
  const form = await fillIn("Fell");
  expect(form.getByRole("status").textContent).toBe("Describe what happened.");
  expect(form.getByLabelText<HTMLTextAreaElement>("Description").value).toBe("Fell");
  expect(console.error).not.toHaveBeenCalled();
});

test("a report that the backend cannot take is said on the page and on the console", async () => {
  const { "incidents:report": _, ...functions } = backend();
  open(functions);
  const form = await fillIn("Fell");
  expect(form.getByRole("status").textContent).toBe("The incident could not be reported.");
  expect(console.error).toHaveBeenCalledWith(new Error("Could not find function for 'incidents:report'"));
});

test("a query that the backend lacks is said on the page and on the console", () => {
  const { "sites/list:listCompanySites": _, ...functions } = backend();
  open(functions);
  expect(screen.getByRole("alert").textContent).toContain("sites/list:listCompanySites");
  expect(console.error).toHaveBeenCalled();
});

test.each<[string, Functions]>([
  ["Loading companies…", { "companies:list": () => undefined }],
  ["Loading sites…", { "sites/list:listCompanySites": () => undefined }],
  ["Loading incidents…", { "incidents:list": () => undefined }],
  ["There is no company yet.", { "companies:list": () => [] }],
])("the page says: %s", (note, functions) => {
  open({ ...backend(), ...functions });
  expect(screen.getByText(note)).toBeDefined();
});

test.each([
  ["unset", undefined, "built without VITE_CONVEX_URL"],
  ["not a URL", "graceful-shrimp-355", "not an absolute URL"],
])("a site whose backend URL is %s says so", (_, url, reason) => {
  render(
    <Failure>
      <Backend url={url}>
        <App />
      </Backend>
    </Failure>,
  );
  expect(screen.getByRole("alert").textContent).toContain(reason);
  expect(console.error).toHaveBeenCalled();
});

test.each([
  ["Live", { isWebSocketConnected: true, hasEverConnected: true }],
  ["Connecting…", { isWebSocketConnected: false, hasEverConnected: false }],
  ["Reconnecting…", { isWebSocketConnected: false, hasEverConnected: true }],
])("the connection is said to be: %s", (state, connection) => {
  open(backend(), connection);
  expect(within(screen.getByRole("banner")).getByRole("status").textContent).toBe(state);
});
