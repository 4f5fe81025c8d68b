import type { Connection } from "../data.ts";

/** The page of a run that has nothing to show yet, or of a server that has gone. */
export function Waiting({ connection }: { connection: Connection }) {
  return (
    <main>
      <p className="eyebrow">Espalier</p>
      <h1>{connection === "lost" ? "The server does not answer." : "Waiting for the first result of the run."}</h1>
      <p className="caveat" role="status">
        {connection === "lost" ? (
          <>
            This page tries again by itself. If the server was stopped, start it with <code>espalier serve DIR</code>.
          </>
        ) : (
          <>
            This page fills by itself as runs finish; the first takes about a minute. If none is under way, start one with{" "}
            <code>espalier reproduce</code>.
          </>
        )}
      </p>
    </main>
  );
}
