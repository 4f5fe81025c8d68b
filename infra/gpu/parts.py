"""What `infra/gpu/check` does, part by part: each is a list of (title, work), and work gives rows of results.

A part knows nothing of processes: `worker.py` runs its work one by one.
"""
import os

import cases
from espalier_abi import Absent, DeviceError, Library, largest_error, run

# In the order of what somebody with little time wants to know first. `only` names them.
PARTS = ("ops", "torch", "speed", "memcheck", "racecheck")

# One rounding to bf16 is at most 2^-9 of the largest number; with rounded products, probabilities and biases beside it.
STORED_TOLERANCE = 2e-2


def chosen_cases(pattern):
    return [case for case in cases.all_cases() if pattern in case.title]


def torch_module():
    """torch_rivals and None, or None and why there is none."""
    try:
        import torch
        if not torch.cuda.is_available():
            return None, "PyTorch has no CUDA device"
        import torch_rivals
        return torch_rivals, None
    except Exception as problem:  # a broken installation raises whatever it likes
        return None, f"no PyTorch: {problem}"


def check(part, title, error, tolerance, problem=None):
    passed = error is not None and error <= tolerance and not problem
    return {"part": part, "title": title, "error": error, "tolerance": tolerance, "passed": passed, "problem": problem or ("" if passed else "differs")}


def expected_of(cpu, case, **options):
    """By the CPU kernels, without attributes that their registry lacks (bf16 attention is CUDA's alone)."""
    known = {name.rstrip("?") for name in cpu.ops[case.op]}
    attributes, case.attributes = case.attributes, {name: value for name, value in case.attributes.items() if name in known}
    try:
        return run(cpu, case, **options)
    finally:
        case.attributes = attributes


def compare(cpu, cuda, case):
    """Launched, captured and replayed, against the CPU kernels; and the same bits again."""
    expected, found, again = expected_of(cpu, case), run(cuda, case, runs=3), run(cuda, case)
    same = [a.tobytes() for a in found] == [b.tobytes() for b in again]
    error = max(largest_error(a, b) for a, b in zip(expected, found))
    return [check("ops", case.title, error, case.tolerance, None if same else "other bits in a replay than in single launches")]


def compare_stored(cpu, cuda, case, stored):
    """With activations stored in bf16, against the CPU kernels on rounded inputs."""
    found = run(cuda, case, runs=3, stored=stored)
    expected = expected_of(cpu, case, rounded=stored[0])
    return [check("ops", f"{case.title}, stored in bf16", max(largest_error(a, b) for a, b in zip(expected, found)), STORED_TOLERANCE)]


COLLECTIVES = "NCCL, one rank alone"


def collectives(cuda):
    try:
        cuda.check_collectives()
    except Absent as absent:
        return [{**check("ops", COLLECTIVES, None, None, str(absent)), "passed": None}]
    return [check("ops", COLLECTIVES, 0.0, 0.0)]


def ops(given):
    cpu, cuda = Library(given.cpu, threads=os.cpu_count() or 1), Library(given.cuda)
    chosen, positions = chosen_cases(given.case), cases.bf16_positions()
    work = [(case.title, lambda case=case: compare(cpu, cuda, case)) for case in chosen]
    work += [(f"{case.title}, stored in bf16", lambda case=case: compare_stored(cpu, cuda, case, cases.stored_in_bf16(case, positions)))
             for case in chosen if case.op in positions]
    if given.case in COLLECTIVES:
        work.append((COLLECTIVES, lambda: collectives(cuda)))
    if not given.case:
        uncovered = sorted(set(cpu.ops) - {case.op for case in chosen})
        work += [(op, lambda op=op: [check("ops", op, None, None, "has no case")]) for op in uncovered]
    return work


def torch(given):
    module, absent = torch_module()
    if module is None:
        return [("PyTorch", lambda: [{"part": "torch", "title": "PyTorch", "error": None, "tolerance": None, "passed": None, "problem": absent}])]
    cuda = Library(given.cuda)
    return [("PyTorch", lambda: [check("torch", *row) for row in module.agreement(cuda)])]


def speed(given):
    import benchmarks
    module, _ = torch_module()
    cuda = Library(given.cuda)
    return benchmarks.all_work(cuda, given.smi, given.small, module, given.case.split(" ")[0])


def sanitized(given):
    """Every case once; the process runs under compute-sanitizer, which says what it found when it ends."""
    cuda = Library(given.cuda)

    def once(case):
        run(cuda, case)
        return []
    return [(case.title, lambda case=case: once(case)) for case in chosen_cases(given.case)]


WORK = {"ops": ops, "torch": torch, "speed": speed, "memcheck": sanitized, "racecheck": sanitized}
__all__ = ["DeviceError", "PARTS", "WORK", "torch_module"]
