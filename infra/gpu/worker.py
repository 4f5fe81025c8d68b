"""Runs the work of one part in a process of its own, so that a crash, a hang or a lost device costs one case, not the rest.

A worker prints a line of JSON when it begins a piece of work and one with its rows. A failed piece ends the process, since
nothing that runs after a fault on the device means anything; `supervise` records it and starts another one behind it.
"""
import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

FAILED = 3
SANITIZER_FAILED = 9


def work_through(part, given):
    """The worker: pieces from number `given.first` on."""
    import parts
    for number, (title, work) in enumerate(parts.WORK[part](given)):
        if number < given.first:
            continue
        print(json.dumps({"begin": number, "title": title}), flush=True)
        try:
            rows = list(work())
        except Exception as problem:
            print(json.dumps({"failed": f"{type(problem).__name__}: {problem}"}), flush=True)
            return FAILED
        print(json.dumps({"rows": rows}), flush=True)
    return 0


def _lines(process, timeout_s, deadline):
    """Lines as they come. Raises queue.Empty when none came in time."""
    lines = queue.Queue()

    def read():
        for line in process.stdout:
            lines.put(line)
        lines.put(None)
    threading.Thread(target=read, daemon=True).start()
    while True:
        line = lines.get(timeout=max(0.1, min(timeout_s, deadline - time.monotonic())))
        if line is None:
            return
        yield line


def supervise(part, arguments, say, deadline, prefix=(), environment=None, timeout_s=300, most_failures=30):
    """Yields rows as they are made, and a row for every piece that failed; `say` gets titles. Ends at the deadline with a row
    that says so."""
    first, failures, script = 0, 0, str(Path(__file__).resolve().parent / "check")

    def failed(title, problem, passed=False):
        return {"part": part, "title": title, "error": None, "tolerance": None, "passed": passed, "problem": problem}
    while True:
        command = [*prefix, sys.executable, script, "--worker", part, "--first", str(first), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
        errors, under_way, problem, said, begun = [], None, None, [], False
        reader = threading.Thread(target=lambda: errors.extend(process.stderr), daemon=True)
        reader.start()
        try:
            for line in _lines(process, timeout_s, deadline):
                try:
                    message = json.loads(line)
                    if not isinstance(message, dict):
                        raise ValueError
                except ValueError:
                    said.append(line.rstrip())  # compute-sanitizer's own
                    continue
                if "begin" in message:
                    first, under_way, begun = message["begin"] + 1, message["title"], True
                    say(under_way)
                elif "failed" in message:
                    problem = message["failed"]
                else:
                    under_way = None
                    yield from message["rows"]
            status = process.wait()
        except queue.Empty:
            late = time.monotonic() >= deadline
            problem, status = ("no time left" if late else f"no answer in {timeout_s} s"), None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            reader.join(timeout=5)
        told = "\n".join(line for line in said + [line.rstrip() for line in errors] if "=====" in line)[:4000]
        if status == 0:
            return
        if status is None and time.monotonic() >= deadline:
            yield failed(under_way or "the rest", "no time left; run again to go on", None)
            return
        if status == SANITIZER_FAILED and under_way is None:  # all was run, and something found
            yield failed("every kernel", told or "".join(errors)[-2000:])
            return
        reason = problem or (f"the process ended with {status}" if status is None or status >= 0 else f"the process died of signal {-status}")
        yield failed(under_way or "start", "\n".join(text for text in (reason, told or "".join(errors)[-1500:].strip()) if text))
        failures += 1
        if not begun or failures >= most_failures:
            yield failed("the rest", f"given up after {failures} failures")
            return
