# SPDX-License-Identifier: BSD-2-Clause
"""The frames of an image's functions, and the calls with the stack in use at each."""

import re
from dataclasses import dataclass, field

from machine_code import Unknown


def base_name(name):
    """The name in the source, without suffixes of the compiler for copies and parts of a function."""
    return name.split(".")[0] if not name.startswith(".") else name


@dataclass
class Function:
    name: str
    start: int
    frame: int = 0  # bytes, at its deepest
    calls: list = field(default_factory=list)  # (depth at the call, address called)
    indirect: list = field(default_factory=list)  # (depth, address of the call)
    returns: bool = False


class CallGraph:
    """The functions reachable from some functions of an image, computed on demand."""

    def __init__(self, image, pops=None):
        self.image = image
        self.pops = dict(pops or {})  # bytes that a function removes from its caller's stack, by address
        self.functions = {}
        self.errors = []
        self.returning = {}

    def function(self, start):
        if start not in self.functions:
            self.functions[start] = Function(self.image.names.get(start, hex(start)), start)
            self.follow(self.functions[start])
        return self.functions[start]

    def comes_back(self, start, trail=()):
        """Whether a function returns."""
        if start in trail:
            return False  # not by this way
        if start not in self.image.steps:
            return True  # called by the library, provided by somebody else
        if start not in self.returning:
            returns = self.has_return(start, (*trail, start))
            if returns or not trail:
                self.returning[start] = returns
            return returns
        return self.returning[start]

    def has_return(self, start, trail):
        image, todo, seen = self.image, [start], set()
        while todo:
            at = todo.pop()
            if at in seen or at not in image.steps:
                continue
            seen.add(at)
            step = image.steps[at]
            if isinstance(step, Unknown):
                return True
            if step.pops:
                self.pops[start] = step.pops
            if step.returns or step.ends and step.indirect and step.table is None:
                return True
            if step.table is not None:
                todo += self.table(start, step.table)
            if step.jump is not None:
                if self.is_other(start, step.jump):
                    if self.comes_back(step.jump, trail):
                        return True
                else:
                    todo.append(step.jump)
            if not step.ends and (step.call is None or self.comes_back(step.call, trail)):
                todo.append(image.next.get(at))
        return False

    def is_other(self, start, to):
        """True if a jump leads to another function instead of a separate part of this one (.cold)."""
        return to != start and to in self.image.names and "cold" not in self.image.names[to] and \
            not self.image.names[to].startswith(".L")

    def table(self, start, address):
        end = min((s for s in self.image.starts if s > start), default=1 << 32)
        return self.image.table(address, lambda to: start <= to < end)

    def follow(self, f):
        """All paths through a function, with the stack's depth at each instruction."""
        image = self.image
        depths, saved, todo, switches = {}, {}, [(f.start, 0)], []
        while todo or switches:
            if not todo:
                todo = self.unreached(f, depths, switches.pop())
                continue
            at, depth = todo.pop()
            if at is None or at not in image.steps:
                continue
            if at in depths:
                if depths[at] != depth:
                    self.error(f, at, f"{depths[at]} or {depth} bytes of stack in use")
                continue
            depths[at] = depth
            step = image.steps[at]
            if isinstance(step, Unknown):
                self.error(f, at, f"what this does to the stack is not known: {step}")
                continue
            if step.save is not None:
                saved[step.save[0]] = depth - step.save[1]
            after = self.depth_after(step, depth, saved)
            f.frame = max(f.frame, depth, after)
            f.returns |= step.returns
            self.lead_on(f, at, step, after, todo, switches)

    @staticmethod
    def depth_after(step, depth, saved):
        if step.restore is not None:
            register, more = step.restore
            return saved[register] + more + step.grow if register in saved else 0
        if step.set_to is not None:
            return step.set_to
        return depth + step.grow

    def lead_on(self, f, at, step, depth, todo, switches):
        image = self.image
        if step.call is not None:
            f.calls.append((depth, step.call))
        elif step.indirect and not (step.ends and self.is_switch(at)):
            f.indirect.append((depth, at))
        elif step.indirect:
            switches.append(depth)
        if step.jump is not None and self.is_other(f.start, step.jump):
            f.calls.append((depth - image.machine.call_size, step.jump))  # the callee returns for it
        elif step.jump is not None:
            todo.append((step.jump, depth))
        if step.table is not None:
            todo += [(to, depth) for to in self.table(f.start, step.table)]
        if not step.ends and (step.call is None or self.comes_back(step.call)):
            todo.append((image.next.get(at), depth - self.pops.get(step.call, 0)))

    def is_switch(self, at):
        """PowerPC: a jump through the count register into a table instead of to another function."""
        previous = at - 4
        while previous > at - 48 and "mtctr" not in self.image.texts.get(previous, ""):
            previous -= 4
        register = self.image.texts.get(previous, " ").rpartition(" ")[2]
        while previous > at - 64:
            previous -= 4
            text = self.image.texts.get(previous, "")
            if re.match(rf"(add|lwzx|lwz) {register},", text):
                return text.startswith(("add ", "lwzx "))
        return False

    def unreached(self, f, depths, depth):
        """Instructions after a jump that no path reaches: targets of a switch."""
        end = min((s for s in self.image.starts if s > f.start), default=1 << 32)
        for at in sorted(a for a in range(f.start + 4, end, 4) if a not in depths):
            before = self.image.steps.get(at - 4)
            if at in self.image.steps and not isinstance(before, Unknown) and before is not None and before.ends:
                return [(at, depth)]
        return []

    def error(self, f, at, what):
        self.errors.append(f"{f.name} at {at:x} ({self.image.texts[at]}): {what}")
