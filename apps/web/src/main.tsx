import type { ReproductionReport } from "@espalier/spec/run";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { embeddedReport, followLiveReport } from "./data.ts";
import { Report } from "./report/Report.tsx";
import { Waiting } from "./report/Waiting.tsx";
import "./style.css";

const root = createRoot(document.getElementById("root")!);

function show(report: ReproductionReport | null, live: boolean): void {
  root.render(<StrictMode>{report ? <Report report={report} live={live} /> : <Waiting />}</StrictMode>);
}

const embedded = embeddedReport();
show(embedded, false);
if (!embedded) followLiveReport((report) => show(report, true));
