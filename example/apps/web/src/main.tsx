import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { Backend } from "./Backend";
import { Failure } from "./Failure";
import "./styles.css";

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Failure>
      <Backend url={import.meta.env.VITE_CONVEX_URL}>
        <App />
      </Backend>
    </Failure>
  </StrictMode>,
);
