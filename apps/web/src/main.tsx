import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { type Connection, embeddedReport, followLiveReport } from "./data.ts";
import { Report } from "./report/Report.tsx";
import { Waiting } from "./report/Waiting.tsx";
import "./style.css";

const root = createRoot(document.getElementById("root")!);

let report = embeddedReport();
let connection: Connection = report ? "none" : "live";

function show(): void {
  root.render(<StrictMode>{report ? <Report report={report} connection={connection} /> : <Waiting connection={connection} />}</StrictMode>);
}

show();
if (!report) {
  followLiveReport(
    (next) => {
      report = next;
      show();
    },
    (next) => {
      connection = next;
      show();
    },
  );
}
