export function Waiting() {
  return (
    <main>
      <p className="eyebrow">Espalier</p>
      <h1>Waiting for the first result of the run.</h1>
      <p className="caveat">This page fills by itself as arms finish.</p>
    </main>
  );
}
