# SPDX-License-Identifier: BSD-2-Clause
"""What the instructions of an ELF image do to the stack and which functions they call, by objdump,
for i386 and PowerPC.

The compiler treats an image as one program (-flto), with assembly and libgcc added, so only its
machine code has the final stack frames.
"""

import re
import struct
import subprocess
from dataclasses import dataclass, field

LINE = re.compile(r"^ *([0-9a-f]+):\t(.*)")
HEADER = re.compile(r"^([0-9a-f]+) <(.+)>:$")
TARGET = re.compile(r"(?:^|,|\s)([0-9a-f]+) <")


class Unknown(Exception):
    """An instruction with an unknown effect on the stack."""


@dataclass
class Step:
    """An instruction: its effect on the stack, and its targets."""

    grow: int = 0  # bytes
    set_to: int | None = None  # or the depth itself
    save: tuple | None = None  # register that contains the stack pointer plus this number from now on
    restore: tuple | None = None  # register from which the stack pointer is loaded, and an offset
    jump: int | None = None
    call: int | None = None
    indirect: bool = False  # a call or jump whose target is not in the instruction
    table: int | None = None  # table of addresses to one of which it jumps
    ends: bool = False  # execution does not continue with the next instruction
    returns: bool = False
    pops: int = 0  # bytes beside the return address
    addresses: list = field(default_factory=list)  # constants


def number(text):
    return int(text, 0)


def target(operands):
    found = TARGET.search(operands)
    return int(found[1], 16) if found else None


class I386:
    prefix = "i686"
    order = "<"
    call_size = 4  # a call pushes the return address

    PUSHES = {"push": 4, "pushl": 4, "pushf": 4, "pushfl": 4, "pusha": 32, "pushal": 32, "pop": -4, "popl": -4,
              "popf": -4, "popfl": -4, "popa": -32, "popal": -32}

    def __init__(self):
        self.pairs = {}

    def step(self, text):
        name, _, operands = text.replace("notrack ", "").partition(" ")
        operands = operands.strip()
        s = Step(addresses=[number(n) for n in re.findall(r"\$(0x[0-9a-f]+)", operands)])
        destination = operands.rpartition(",")[2]
        if name in self.PUSHES:
            s.grow = self.PUSHES[name]
        elif name == "call":
            s.call, s.indirect = target(operands), operands.startswith("*")
        elif name in ("ret", "iret"):
            s.ends = s.returns = True
            s.pops = number(operands[1:]) if operands.startswith("$") else 0
        elif name in ("ud2", "hlt"):
            s.ends = name == "ud2"
        elif name in ("jmp", "ljmp"):
            s.ends = True
            table = re.match(r"\*(0x[0-9a-f]+)\(,%", operands)
            if name == "ljmp":
                s.jump = number(operands.rpartition("$")[2])
            elif table:
                s.table = number(table[1])
            else:
                s.jump, s.indirect = target(operands), operands.startswith("*")
        elif name.startswith("j") or name.startswith("loop"):
            s.jump = target(operands)
        elif name == "leave":
            s.restore, s.grow = ("%ebp", 0), -4
        elif name.startswith("mov") and operands.startswith("%esp,%"):
            s.save = (destination, 0)
        elif name.startswith("lea") and "(%esp)," in operands and destination != "%esp":
            s.save = (destination, number(operands.partition("(")[0] or "0"))
        elif destination == "%esp" and not name.startswith(("cmp", "test")):
            self.set_stack(s, name, operands)
        return s

    @staticmethod
    def set_stack(s, name, operands):
        source = operands.rpartition(",")[0]
        lea = re.match(r"(-?0x[0-9a-f]+)?\((%\w+)\)$", source)
        if name.startswith(("sub", "add")) and source.startswith("$"):
            value = number(source[1:])
            value -= (value & 0x80000000) << 1
            s.grow = value if name.startswith("sub") else -value
        elif name.startswith("and"):
            s.grow = -number(source[1:]) % (1 << 32) - 4  # at the most
        elif name.startswith("lea") and lea and lea[2] == "%esp":
            s.grow = -number(lea[1] or "0")
        elif name.startswith("lea") and lea:
            s.restore = (lea[2], -number(lea[1] or "0"))
        elif name.startswith("mov") and source.startswith("%"):
            s.restore = (source, 0)
        elif name.startswith("mov") and source.startswith("$"):
            s.set_to = 0  # a stack of its own
        elif name.startswith("mov") and source.startswith("0x"):
            s.ends = True  # __builtin_longjmp()
        else:
            raise Unknown(f"{name} {operands}")


class PowerPc:
    prefix = "powerpc"
    order = ">"
    call_size = 0  # the return address is in the link register and saved in a frame

    def __init__(self):
        self.pairs = {}  # upper halves of constants, by register

    def step(self, text):
        name, _, operands = text.replace("\t", " ").partition(" ")
        operands = re.sub(r"\s*#.*", "", operands.strip())
        name = name.rstrip("+-")
        s = Step()
        parts = operands.split(",")
        if name == "lis":
            self.pairs[parts[0]] = number(parts[1]) << 16
            s.set_to = 0 if parts[0] == "r1" else None  # a stack of its own
        elif name in ("addi", "ori") and parts[1] in self.pairs:
            s.addresses.append((self.pairs[parts[1]] + number(parts[2])) & 0xffffffff)
        if name == "addi" and parts[0] == parts[1] == "r1" and self.pairs.pop("r1", None):
            s.set_to = 0
        elif name in ("stwu", "stwux", "addi", "mr", "lwz", "addic", "add", "subf") and (
                parts[0] == "r1" or name == "stwu" and parts[1].endswith("(r1)")):
            self.set_stack(s, name, parts)
        elif name in ("bl", "bla"):
            s.call = target(operands)
        elif name == "bctrl":
            s.indirect = True
        elif name == "bctr":
            s.indirect = s.ends = True
        elif name in ("blr", "rfi"):
            s.ends = s.returns = True
        elif name in ("b", "ba"):
            s.jump, s.ends = target(operands), True
        elif name.endswith("lr") and name.startswith("b"):
            s.returns = True  # on a condition
        elif name.endswith(("ctr", "ctrl", "lrl")) and name.startswith("b"):
            raise Unknown(text)
        elif name.startswith("b") and name not in ("brw", "brh"):
            s.jump = target(operands)
        return s

    @staticmethod
    def set_stack(s, name, parts):
        if name == "stwu" and parts[1].endswith("(r1)"):
            s.grow = -number(parts[1][:-4])
        elif name == "addi" and parts[1] == "r1":
            s.grow = -number(parts[2])
        elif name in ("lwz", "addi") or name == "mr" and parts[1] == "r11":
            s.set_to = 0  # the caller's frame, or that of the code interrupted by an exception
        elif name == "mr":
            s.ends = True  # __builtin_longjmp()
        else:
            raise Unknown(f"{name} {','.join(parts)}")


MACHINES = {"i386": I386, "ppc": PowerPc}


def run(*command, text=None):
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


class Image:
    """The code of an ELF file, and the words of its data."""

    def __init__(self, path, arch, cross):
        self.path = path
        self.machine = MACHINES[arch]()
        self.cross = cross
        self.steps = {}  # by address
        self.next = {}  # the following instruction's address
        self.texts = {}
        self.names = {}  # the first name at an address
        self.starts = []
        self.disassemble()
        self.read_data()

    def disassemble(self):
        last = None
        for line in run(f"{self.cross}objdump", "-d", "-z", "--no-show-raw-insn", self.path).splitlines():
            header = HEADER.match(line)
            found = None if header else LINE.match(line)
            if header:
                self.names.setdefault(int(header[1], 16), header[2])
                self.starts.append(int(header[1], 16))
                self.machine.pairs.clear()
            elif found:
                address = int(found[1], 16)
                text = re.sub(r"\s+", " ", found[2].strip())
                self.texts[address] = text
                try:
                    self.steps[address] = self.machine.step(text)
                except Unknown as error:
                    self.steps[address] = error
                if last is not None:
                    self.next[last] = address
                last = address

    def read_data(self):
        """Words in data sections, for function pointers and jump tables."""
        self.words = {}
        for line in run(f"{self.cross}readelf", "-SW", self.path).splitlines():
            found = re.match(r"\s*\[ *\d+\] (\S+)\s+PROGBITS\s+(\w+) (\w+) (\w+) \w+\s+(\w*)", line)
            if found and "A" in found[5] and found[1] != ".text":
                self.add_words(*(int(found[i], 16) for i in (2, 3, 4)))

    def add_words(self, address, offset, size):
        with open(self.path, "rb") as file:
            file.seek(offset)
            data = file.read(size)
        pad = -address % 4
        for i in range(pad, len(data) - 3, 4):
            self.words[address + i] = struct.unpack_from(f"{self.machine.order}I", data, i)[0]

    def symbols(self):
        return run(f"{self.cross}nm", "--defined-only", self.path).splitlines()

    def table(self, address, inside):
        """The entries of a table of jumps."""
        targets = []
        while inside(self.words.get(address, 0)):
            targets.append(self.words[address])
            address += 4
        return targets

    def addresses_taken(self):
        """Functions with a pointer to them, and those without any caller: a constant may also be a
        number."""
        starts = set(self.starts)
        steps = [step for step in self.steps.values() if isinstance(step, Step)]
        by_code = starts.intersection(a for step in steps for a in step.addresses)
        by_data = starts.intersection(self.words.values())
        called = {to for step in steps for to in (step.call, step.jump)}
        return by_code | by_data, (by_code | by_data) - called

    def sources(self, addresses):
        """{address: (function, file, line)} of the innermost function inlined there, and of the
        outermost."""
        out = run(f"{self.cross}addr2line", "-afie", self.path, text="\n".join(f"{a:x}" for a in sorted(addresses)))
        inner, outer = {}, {}
        lines = iter(out.splitlines())
        for line in lines:
            if re.match(r"0x[0-9a-f]+$", line):
                address, line = int(line, 16), next(lines)
            file, _, number_ = next(lines).partition(" ")[0].rpartition(":")
            outer[address] = (line, file, int(number_) if number_.isdigit() else 0)
            inner.setdefault(address, outer[address])
        return inner, outer
