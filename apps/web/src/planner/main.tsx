import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "../style.css";
import { Planner } from "./Planner.tsx";
import "./planner.css";

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Planner />
  </StrictMode>,
);
