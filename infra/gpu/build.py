"""Compiles the native libraries on a machine without Node, from the same source lists as infra/native: the CPU kernels
behind the C interface (`libespalier_cpu.so`), the CUDA kernels (`espalier_cuda.so`), or the emulation.

Flags are those of infra/native/src/build.ts and compiler.ts. Every object is compiled anew when a source or header is newer.
"""
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CPP = ["-O3", "-std=c++17", "-fPIC", "-ffp-contract=off", "-fno-math-errno", "-fvisibility=hidden"]
NVCC = ["-O3", "-std=c++17", "-Xcompiler", "-fPIC,-fvisibility=hidden", "--expt-relaxed-constexpr"]
SETS = {
    "portable": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx2", "-mfma", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"],
    "avx512bf16": ["-mavx2", "-mfma", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512bf16"],
}


def nvcc():
    """NVIDIA's compiler, or None."""
    roots = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda"]
    found = [Path(folder) / "nvcc" for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    found += [Path(root) / "bin" / "nvcc" for root in roots if root]
    return next((str(path) for path in found if path.exists()), None)


def _compile_all(jobs, say):
    def one(job):
        source, output, command = job
        output.parent.mkdir(parents=True, exist_ok=True)
        made = subprocess.run([*command, "-c", str(source), "-o", str(output)], capture_output=True, text=True)
        if made.returncode:
            raise SystemExit(f"build: {source.relative_to(ROOT)} does not compile:\n{made.stderr}{made.stdout}")

    native = ROOT / "packages" / "kernels" / "native"
    newest = max(path.stat().st_mtime for path in native.rglob("*") if path.is_file())
    stale = [job for job in jobs if not job[1].exists() or job[1].stat().st_mtime < newest]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, stale))
    say(f"build: {len(stale)} of {len(jobs)} files compiled")
    return [str(output) for _, output, _ in jobs]


def _expand(directory, patterns):
    return sorted({path.resolve() for pattern in patterns for path in directory.glob(pattern)} if ".." not in "".join(patterns)
                  else {path.resolve() for pattern in patterns for path in (directory / pattern).parent.resolve().glob(Path(pattern).name)})


def build(kind, folder, say=print, architectures=None):
    """kind: cpu, cuda or emulated. Gives the library's path."""
    package = ROOT / "packages" / ("kernels-cuda" if kind == "cuda" else "kernels")
    sources = json.loads((package / "native" / "sources.json").read_text())
    include = ["-I", str(ROOT / "packages" / "kernels" / "native")]
    objects = Path(folder) / kind
    if kind == "cpu":
        jobs = [(s, objects / "base" / f"{s.stem}.o", ["g++", *CPP, *include]) for s in _expand(package, sources["sources"]) if s.parent.name != "addon"]
        for name, flags in SETS.items():
            jobs += [(s, objects / name / f"{s.stem}.o", ["g++", *CPP, *flags, f"-DESPALIER_ISA={name}", *include]) for s in _expand(package, sources["perInstructionSet"])]
        link = ["g++", "-shared", "-pthread"]
    else:
        library = sources["libraries"][0]
        defines = [f"-D{name}" for name in library["defines"]]
        compiler = ["g++", *CPP, "-Wno-unknown-pragmas"]
        link = ["g++", "-shared", "-pthread"]
        if kind == "cuda":
            targets = architectures or ["arch=compute_80,code=sm_80", "arch=compute_90,code=sm_90", "arch=compute_90a,code=sm_90a", "arch=compute_90,code=compute_90"]
            gencode = [word for target in targets for word in ("-gencode", target)]
            compiler = [nvcc(), *gencode, *NVCC]
            link = [nvcc(), *gencode, "-shared", "-cudart", "static", "-Xcompiler", "-pthread"]
        language = lambda s: ["-x", "c++"] if kind == "emulated" and s.suffix == ".cu" else []
        jobs = [(s, objects / f"{s.stem}.o", [*compiler, *defines, *include, *language(s)]) for s in _expand(package, library["sources"])]
    compiled = _compile_all(jobs, say)
    output = Path(folder) / {"cpu": "libespalier_cpu.so", "cuda": "espalier_cuda.so", "emulated": "espalier_cuda_emulated.so"}[kind]
    subprocess.run([*link, *compiled, "-o", str(output), "-ldl"], check=True)
    return str(output)
