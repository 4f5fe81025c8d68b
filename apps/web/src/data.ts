import type { ReproductionReport } from "@espalier/spec/run";

/** The report written into the page, or null on a page that is served live. */
export function embeddedReport(): ReproductionReport | null {
  const element = document.getElementById("report-data");
  return element?.textContent ? (JSON.parse(element.textContent) as ReproductionReport | null) : null;
}

/** `none`: the report is in the page. `lost`: the server has stopped answering, and is asked again. */
export type Connection = "none" | "live" | "lost";

/** Reads `/api/report` now and whenever the server says on `/api/events` that it changed. */
export function followLiveReport(onReport: (report: ReproductionReport) => void, onConnection: (connection: Connection) => void): void {
  const refresh = async () => {
    const response = await fetch("/api/report").catch(() => undefined);
    if (response?.ok) onReport((await response.json()) as ReproductionReport);
  };
  void refresh();
  const events = new EventSource("/api/events");
  events.addEventListener("report", () => void refresh());
  events.addEventListener("error", () => onConnection("lost"));
  events.addEventListener("open", () => {
    onConnection("live");
    void refresh(); // what changed while the connection was lost
  });
}
