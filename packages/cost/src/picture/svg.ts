/** Text for an SVG or HTML document. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Colours of a picture in light and in dark surroundings; `c0` to `c7` are for parts. */
const STYLE = `
  svg { --ink: #1d211c; --muted: #6b7067; --line: #dedcd3; --paper: #fbfaf7;
    --c0: #33609c; --c1: #2f7d4f; --c2: #b3502f; --c3: #d99a4e; --c4: #7c5aa6; --c5: #2a8b93; --c6: #a13d63; --c7: #8a8f3c; }
  @media (prefers-color-scheme: dark) { svg { --ink: #e6e7df; --muted: #969c90; --line: #333932; --paper: #161a17;
    --c0: #7faae6; --c1: #5fbf85; --c2: #e58362; --c3: #e3b06f; --c4: #b394dc; --c5: #5fc3cb; --c6: #e2819f; --c7: #c3c86a; } }
  text { font: 12px system-ui, sans-serif; fill: var(--ink); } .muted { fill: var(--muted); } .title { font-weight: 600; font-size: 15px; }
  .axis { stroke: var(--line); }`;

/** A whole SVG document of `width` x `height` around its marks. */
export function svgDocument(width: number, height: number, title: string, marks: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title><style>${STYLE}</style>`,
    `<rect width="${width}" height="${height}" fill="var(--paper)"/>`,
    ...marks,
    "</svg>\n",
  ].join("\n");
}

export function svgText(x: number, y: number, text: string, options: { class?: string; anchor?: "start" | "middle" | "end" } = {}): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${options.class ? ` class="${options.class}"` : ""}${options.anchor ? ` text-anchor="${options.anchor}"` : ""}>${escapeXml(text)}</text>`;
}
