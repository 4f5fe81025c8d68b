import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "../style.css";
import { Tokens } from "./Tokens.tsx";
import "./tokens.css";

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Tokens />
  </StrictMode>,
);
