"""The C interface of packages/kernels/native/espalier.h through ctypes, so that kernels are tested where there is no Node.

A library is `Library(path)`; `run(library, case)` makes a program of one instruction, runs it and gives its outputs as
`array.array('f')`. Only the standard library is used.
"""
import ctypes as c
import math
import random
import threading
from array import array
from dataclasses import dataclass, field

F32, I32, BF16 = 0, 1, 2
ARENA, OWNED, RUNTIME, OUTPUT = 0, 1, 2, 3
i64 = c.c_int64
RTLD_LAZY = 1
UNSUPPORTED = 4


class Options(c.Structure):
    _fields_ = [("size", c.c_uint64), ("threads", i64), ("path", c.c_char_p), ("grain", c.c_double)]


class TensorSpec(c.Structure):
    _fields_ = [("size", c.c_uint64), ("dtype", i64), ("region", i64), ("rank", i64), ("dims", c.POINTER(i64)), ("offset", i64)]


class InstructionSpec(c.Structure):
    _fields_ = [("size", c.c_uint64), ("op", c.c_char_p), ("names", c.c_char_p), ("attributes", c.POINTER(c.c_double)),
                ("inputs", c.POINTER(i64)), ("num_inputs", i64), ("outputs", c.POINTER(i64)), ("num_outputs", i64)]


class ProgramSpec(c.Structure):
    _fields_ = [("size", c.c_uint64), ("tensors", c.POINTER(TensorSpec)), ("num_tensors", i64),
                ("instructions", c.POINTER(InstructionSpec)), ("num_instructions", i64),
                ("arena_bytes", i64), ("runtime_bytes", i64), ("output_bytes", i64)]


Done = c.CFUNCTYPE(None, c.c_void_p, c.c_int32, c.c_char_p, i64)


class DeviceError(Exception):
    """A call of the library failed; the sentence is the library's."""


class Absent(DeviceError):
    """Something that the library may use is not on this machine; the sentence says what was tried."""


@dataclass
class Tensor:
    """A tensor of a case: its shape, and its values as a function of the element's index; by default normal numbers."""
    shape: tuple
    value: object = None
    dtype: int = F32

    @property
    def count(self):
        return math.prod(self.shape)

    def values(self, seed):
        if self.dtype == I32:
            return array("i", [int(self.value(i)) for i in range(self.count)])
        if self.value is not None:
            return array("f", [self.value(i) for i in range(self.count)])
        stream = random.Random(seed)
        return array("f", [stream.gauss(0.0, 1.0) for _ in range(self.count)])


@dataclass
class Case:
    """One op on one set of inputs. `outputs` are shapes; `into` gives an output first values (it is updated in place)."""
    op: str
    inputs: list
    outputs: list
    attributes: dict = field(default_factory=dict)
    into: dict = field(default_factory=dict)
    tolerance: float = 1e-5
    note: str = ""

    @property
    def title(self):
        return f"{self.op} {self.note or 'x'.join(map(str, self.inputs[0].shape))}"


def opened(path):
    """The library; of an addon the functions of Node stay unresolved, since nothing here calls them."""
    if not path.endswith(".node"):
        return c.CDLL(path)
    loader = c.CDLL(None)
    loader.dlopen.restype = c.c_void_p
    return c.CDLL(path, handle=loader.dlopen(path.encode(), RTLD_LAZY))


def to_bf16(values):
    """Rounded to nearest, ties to even, as 16-bit words; of numbers that are none of infinite or not-a-number."""
    words = array("I", values.tobytes())
    return array("H", [((word + 0x7FFF + (word >> 16 & 1)) >> 16) & 0xFFFF for word in words])


def from_bf16(halves):
    return array("f", array("I", [half << 16 for half in halves]).tobytes())


class Library:
    """A library that has espalier.h: the CPU kernels, the CUDA kernels, or their emulation."""

    def __init__(self, path, threads=1, instruction_path=None):
        self.path = path
        self.abi = abi = opened(path)
        for name in ("last_error", "op_list", "device_summary", "executor_instruction_path"):
            getattr(abi, f"espalier_{name}").restype = c.c_char_p
        abi.espalier_program_submit.argtypes = [c.c_void_p, c.c_void_p, i64, c.c_void_p, i64, Done, c.c_void_p]
        abi.espalier_buffer_allocate.argtypes = [c.c_void_p, i64, c.c_void_p]
        abi.espalier_buffer_write.argtypes = abi.espalier_buffer_read.argtypes = [c.c_void_p, i64, c.c_void_p, i64]
        abi.espalier_program_bind.argtypes = [c.c_void_p, i64, c.c_void_p]
        abi.espalier_program_profile.argtypes = [c.c_void_p, c.c_void_p, c.c_void_p, i64]
        for name in ("program_release", "buffer_release", "executor_release"):
            getattr(abi, f"espalier_{name}").argtypes = [c.c_void_p]
        self.executor = c.c_void_p()
        path_name = instruction_path.encode() if instruction_path else None
        options = Options(c.sizeof(Options), threads, path_name, -1.0)
        self.expect(abi.espalier_executor_create(c.byref(options), c.byref(self.executor)))

    def expect(self, status):
        if status:
            raise DeviceError(f"status {status}: {self.abi.espalier_last_error().decode()}")

    @property
    def device(self):
        return self.abi.espalier_device_summary().decode()

    def check_collectives(self):
        """Sums over one rank through NCCL. Raises Absent where there is none, DeviceError when it fails."""
        status = self.abi.espalier_collectives_check()
        if status == UNSUPPORTED:
            raise Absent(self.abi.espalier_last_error().decode())
        self.expect(status)

    @property
    def ops(self):
        """Names of the registry with their attributes: {"matmul": ["transA", ...]}."""
        entries = [entry.rstrip(")").split("(") for entry in self.abi.espalier_op_list().decode().split(";")]
        return {name: [a for a in attributes.split(",") if a] for name, attributes in entries}

    def allocate(self, size):
        buffer = c.c_void_p()
        self.expect(self.abi.espalier_buffer_allocate(self.executor, size, c.byref(buffer)))
        return buffer

    def close(self):
        self.abi.espalier_executor_release(self.executor)


def longs(values):
    return (i64 * max(1, len(values)))(*values)


class Program:
    """A loaded program of `repeats` times one instruction over owned tensors."""

    def __init__(self, library, op, attributes, tensors, num_inputs, repeats=1):
        """tensors: (shape, dtype) of inputs, then outputs."""
        self.library = library
        self.keep = []
        specs = (TensorSpec * len(tensors))()
        self.sizes, self.dtypes = [], [dtype for _, dtype in tensors]
        for i, (shape, dtype) in enumerate(tensors):
            dims = longs(shape)
            self.keep.append(dims)
            specs[i] = TensorSpec(c.sizeof(TensorSpec), dtype, OWNED, len(shape), dims, 0)
            self.sizes.append((2 if dtype == BF16 else 4) * math.prod(shape))
        numbers = (c.c_double * max(1, len(attributes)))(*attributes.values())
        inputs, outputs = longs(range(num_inputs)), longs(range(num_inputs, len(tensors)))
        one = InstructionSpec(c.sizeof(InstructionSpec), op.encode(), ",".join(attributes).encode(), numbers, inputs, num_inputs,
                              outputs, len(tensors) - num_inputs)
        instructions = (InstructionSpec * repeats)(*[one] * repeats)
        self.repeats = repeats
        spec = ProgramSpec(c.sizeof(ProgramSpec), specs, len(tensors), instructions, repeats, 0, 0, 0)
        self.handle = c.c_void_p()
        self.keep += [specs, numbers, inputs, outputs, instructions]
        library.expect(library.abi.espalier_program_load(library.executor, c.byref(spec), c.byref(self.handle)))
        self.buffers = [library.allocate(size) for size in self.sizes]
        for i, buffer in enumerate(self.buffers):
            library.expect(library.abi.espalier_program_bind(self.handle, i, buffer))

    def write(self, i, values):
        """Floats, rounded where the tensor is bf16, or integers."""
        if self.dtypes[i] == BF16:
            values = to_bf16(values)
        address, count = values.buffer_info()
        self.library.expect(self.library.abi.espalier_buffer_write(self.buffers[i], 0, address, count * values.itemsize))

    def fill(self, i, values):
        """Writes the same values again and again until the tensor is full."""
        data = (to_bf16(values) if self.dtypes[i] == BF16 else values).tobytes()
        for offset in range(0, self.sizes[i], len(data)):
            length = min(len(data), self.sizes[i] - offset)
            self.library.expect(self.library.abi.espalier_buffer_write(self.buffers[i], offset, data, length))

    def read(self, i):
        values = array("H" if self.dtypes[i] == BF16 else "f", bytes(self.sizes[i]))
        self.library.expect(self.library.abi.espalier_buffer_read(self.buffers[i], 0, values.buffer_info()[0], self.sizes[i]))
        return from_bf16(values) if self.dtypes[i] == BF16 else values

    def run(self):
        ended, answer = threading.Event(), []

        @Done
        def done(_, status, message, instruction):
            answer.append((status, (message or b"").decode(), instruction))
            ended.set()

        self.library.expect(self.library.abi.espalier_program_submit(self.handle, None, 0, None, 0, done, None))
        ended.wait()
        if answer[0][0]:
            raise DeviceError(f"status {answer[0][0]}: {answer[0][1]}")

    def seconds(self):
        """Seconds of all instructions since loading, by the device's own clock."""
        seconds, calls = (c.c_double * self.repeats)(), (i64 * self.repeats)()
        self.library.expect(self.library.abi.espalier_program_profile(self.handle, seconds, calls, self.repeats))
        return sum(seconds)

    def free(self):
        self.library.abi.espalier_program_release(self.handle)
        for buffer in self.buffers:
            self.library.abi.espalier_buffer_release(buffer)


def run(library, case, runs=1, stored=None, rounded=None):
    """The outputs of a case after `runs` runs, each from the case's first values.

    `stored`: positions (inputs, outputs) of tensors that are bf16 in memory; `rounded`: positions of inputs that are given
    rounded to bf16, for the library that such a run is compared with.
    """
    in_bf16, out_bf16 = stored or ((), ())
    tensors = [(t.shape, BF16 if i in in_bf16 else t.dtype) for i, t in enumerate(case.inputs)]
    tensors += [(shape, BF16 if i in out_bf16 else F32) for i, shape in enumerate(case.outputs)]
    program = Program(library, case.op, case.attributes, tensors, len(case.inputs))
    try:
        for _ in range(runs):
            for i, tensor in enumerate(case.inputs):
                if tensor.count:
                    values = tensor.values(f"{case.op} input {i}")
                    program.write(i, from_bf16(to_bf16(values)) if rounded and i in rounded else values)
            for i, tensor in case.into.items():
                program.write(len(case.inputs) + i, tensor.values(f"{case.op} into {i}"))
            program.run()
        return [program.read(len(case.inputs) + i) for i in range(len(case.outputs))]
    finally:
        program.free()


def largest_error(expected, found):
    """max |a - b| / max |a|; infinite where only one of the two is no finite number."""
    difference = size = 0.0
    for a, b in zip(expected, found):
        if not (math.isfinite(a) and math.isfinite(b)):
            if a != b and not (math.isnan(a) and math.isnan(b)):
                return math.inf
            continue
        difference, size = max(difference, abs(a - b)), max(size, abs(a))
    return difference / size if difference else 0.0
