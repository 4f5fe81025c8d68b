// The node-<platform> packages state `os` and `cpu` as strings; pnpm 12 calls a lockfile made from them broken.
function readPackage(manifest) {
  if (/^node-(linux|win|darwin)-/.test(manifest.name ?? "")) {
    for (const field of ["os", "cpu"]) if (typeof manifest[field] === "string") manifest[field] = [manifest[field]];
  }
  return manifest;
}
module.exports = { hooks: { readPackage } };
