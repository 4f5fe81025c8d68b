import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";

const sources = join(import.meta.dirname, "rivals");
const built = join(import.meta.dirname, "../../build/bars");

/** A process that answers one line of numbers to each request, or the reason why it is absent. */
export class Rival {
  readonly name: string;
  readonly absent?: string;
  #child?: ChildProcess;
  #lines?: AsyncIterator<string>;
  #reader?: Interface;

  private constructor(name: string, command: string[] | undefined, absent?: string) {
    this.name = name;
    this.absent = absent;
    if (!command) return;
    // Passive waiting: a rival that spins between its turns would take the core from the others.
    const env = { ...process.env, OMP_WAIT_POLICY: "passive" };
    this.#child = spawn(command[0]!, command.slice(1), { stdio: ["pipe", "pipe", "inherit"], env });
    this.#reader = createInterface({ input: this.#child.stdout! });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Compiles `rivals/<name>.cc`; a compiler or library that is not there makes the rival absent. */
  static compiled(name: string, libraries: string[], absentHint: string): Rival {
    const program = join(built, name);
    try {
      mkdirSync(built, { recursive: true });
      execFileSync("g++", ["-O3", "-march=native", "-std=c++17", "-pthread", join(sources, `${name}.cc`), "-o", program, ...libraries], { stdio: "pipe" });
      return new Rival(name, [program]);
    } catch {
      return new Rival(name, undefined, absentHint);
    }
  }

  /** Runs `rivals/<script>` with the first Python that has the module. */
  static python(name: string, script: string, module: string, absentHint: string): Rival {
    for (const python of [process.env.ESPALIER_PYTHON, "/usr/bin/python3", "python3"]) {
      if (!python) continue;
      try {
        execFileSync(python, ["-c", `import ${module}`], { stdio: "pipe" });
        return new Rival(name, [python, join(sources, script)]);
      } catch {
        // the next one may have it
      }
    }
    return new Rival(name, undefined, absentHint);
  }

  /** @throws {Error} when the process has ended */
  async ask(request: string): Promise<number[]> {
    this.#child!.stdin!.write(`${request}\n`);
    const { value, done } = await this.#lines!.next();
    if (done) throw new Error(`${this.name}: ended at "${request}", expected a line of numbers. Run it by hand.`);
    return value.trim().split(/\s+/).map(Number);
  }

  close(): void {
    this.#child?.stdin!.end();
    this.#reader?.close();
  }
}
