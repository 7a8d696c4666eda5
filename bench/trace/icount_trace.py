# SPDX-License-Identifier: BSD-2-Clause
"""Turns QEMU's trace of executed instructions into instructions per layer, by the image's line table."""

import collections
import pathlib
import re
import shutil
import statistics
import subprocess

LAYERS = ("driver", "glue", "lwip", "application", "runtime")
TIMERS = "timers"  # besides the layers: the cost of time, not of packets
FOLDERS = {"virtio": "driver", "pci": "driver", "net": "glue", "lwip": "lwip", "arch": "runtime",
           "runtime": "runtime", "boot": "runtime", "examples": "application"}
# In arch/: the code of interrupts, and of accesses to the card.
DRIVER = re.compile(r"arch/(\w+/(interrupts\.c|vectors\.S|msi\.c)|pci_platform\.c)$")
TIMER_FUNCTIONS = {"advance_clock", "lwip_port_timers", "sys_check_timeouts"}
# The function of each event by which a trace is divided and classified; a compiler's clone has a suffix.
RECEIVED, SENT, COMPLETED = EVENTS = "interface_receive", "interface_link_output", "interface_transmitted"
LOW_VECTORS = 0x3000  # the PowerPC's exception vectors are copies without line information
PREFIXES = {"i386": ("i686-elf-", "i686-linux-gnu-", ""),
            "ppc": ("powerpc-eabi-", "powerpc-linux-gnu-", "")}


def layer(chain):
    """Returns the layer of an instruction. chain: (function, file) of the functions inlined there,
    innermost first. Inline functions of arch/ count for their caller."""
    if any(function in TIMER_FUNCTIONS or file.endswith("/timeouts.c") for function, file in chain):
        return TIMERS
    for _, file in chain:
        if file.endswith("/arch_inline.h"):
            continue
        if file.startswith("net/services/"):
            return "application"
        if DRIVER.match(file):
            return "driver"
        return FOLDERS.get(file.partition("/")[0], "runtime")
    return "runtime"


class Image:
    """An ELF image with line information, and the layers of its addresses."""

    def __init__(self, arch, path):
        self.arch, self.path = arch, str(path)
        self.prefix = next((p for p in PREFIXES[arch] if shutil.which(p + "addr2line")), None)
        assert self.prefix is not None, f"no binutils for {arch}: ./setup installs them"
        self.symbols = {}
        for line in self.run("nm", self.path).splitlines():
            *address, _, name = line.split()
            self.symbols[name.partition(".")[0]] = int(address[0], 16) if address else 0
        missing = [name for name in EVENTS if name not in self.symbols]
        assert not missing, f"{path} has no function {missing}: see EVENTS in icount_trace.py"
        self.layers = {}
        self.functions = {}  # of each address: (layer, function, file)

    def run(self, tool, *arguments, text=None):
        return subprocess.run([self.prefix + tool, *arguments], input=text, text=True,
                              stdout=subprocess.PIPE, check=True).stdout

    def compiler(self):
        """Returns the compiler, for example "gcc 12.2.0", or None."""
        found = re.search(r"DW_AT_producer.*: GNU GIMPLE (\d+\.\d+\.\d+)",
                          self.run("readelf", "--debug-dump=info", "--dwarf-depth=1", self.path))
        return found and f"gcc {found[1]}"

    def is_entry(self, address):
        """Returns true if an interrupt begins there."""
        if self.arch == "i386":
            return self.symbols["vector_stubs"] <= address < self.symbols["trap_common"]
        return address in (0x500, 0x900)

    def learn(self, addresses):
        """Looks up the layers of all these addresses in one call."""
        new = sorted(set(addresses) - self.layers.keys())
        lines = self.run("addr2line", "-a", "-i", "-f", "-e", self.path,
                         text="".join(f"{address:x}\n" for address in new)).splitlines()
        starts = [i for i, line in enumerate(lines) if line.startswith("0x")] + [len(lines)]
        for start, end in zip(starts, starts[1:]):
            address = int(lines[start], 16)
            files = [re.sub(r"^(\./)+|:\S+( \(.*)?$", "", line) for line in lines[start + 2:end:2]]
            chain = list(zip(lines[start + 1:end:2], files))
            self.layers[address] = "driver" if address < LOW_VECTORS else layer(chain)
            self.functions[address] = (self.layers[address], *chain[0])


def executed(path):
    """Yields the addresses of the executed instructions in order. An instruction that QEMU began and took
    back is not included: it appears again."""
    addresses = []
    with pathlib.Path(path).open(encoding="ascii", errors="replace") as trace:
        for line in trace:
            if line.startswith("Trace "):
                addresses.append(int(line.split("/", 2)[1], 16))
            elif addresses and line.startswith(("cpu_io_recompile: rewound", "Stopped execution")):
                addresses.pop()  # without one, the instruction taken back ran before the trace began
    return addresses


def parts(image, path):
    """Divides a trace at its interrupts. Yields for each part, up to the next interrupt, the numbers of
    its EVENTS and how often each address was executed."""
    addresses = executed(path)
    image.learn(addresses)
    events = [image.symbols[name] for name in EVENTS]
    starts = [i for i, address in enumerate(addresses)
              if image.is_entry(address) and not (i > 0 and image.is_entry(addresses[i - 1]))]
    for start, end in zip(starts, starts[1:]):
        part = collections.Counter(addresses[start:end])
        yield tuple(part[event] for event in events), part


def counted(part, places):
    """The instructions of a part for each value of `places`: layers or functions by address."""
    sums = collections.Counter()
    for address, count in part.items():
        sums[places[address]] += count
    return sums


def groups(found, tick):
    """Joins parts to packets, without the cost of clock ticks. A tick belongs to the packets before it,
    because it may report them as sent; only its additional work counts. An interrupt before the loop
    has run for the previous one is not a tick."""
    grouped = []
    for events, counts in found:
        if events[0] > 0:
            grouped.append((events, counts))
        elif grouped and any(events):
            before, sums = grouped[-1]
            sums.update(counts)
            sums.subtract(tick)
            grouped[-1] = (tuple(map(sum, zip(before, events))), sums)
    return grouped


def packets(image, path):
    """For each packet, or those that came together, the numbers of its EVENTS and the instructions of
    each layer."""
    found = [(events, counted(part, image.layers)) for events, part in parts(image, path)]
    idle = [layers for events, layers in found if not any(events) and layers["glue"]]
    assert idle, "no tick of the clock without packets"
    return groups(found, medians(idle)[0])


def functions(image, path, wanted):
    """{(layer, function, file): instructions}, medians over the packets with these numbers of EVENTS. An
    inlined function counts for itself."""
    found = [(events, counted(part, image.functions)) for events, part in parts(image, path)]
    idle = [places for events, places in found
            if not any(events) and any(layer == "glue" for layer, *_ in places)]
    tick = {place: statistics.median(one[place] for one in idle) for place in set().union(*idle)}
    several = [places for events, places in groups(found, tick) if events == wanted]
    rows = {place: statistics.median(one[place] for one in several) for place in set().union(*several)}
    return dict(sorted(rows.items(), key=lambda row: -row[1]))


def medians(found):
    """Returns the median of each layer of several counters, and the distance between the quartiles of
    their sums."""
    sums = sorted(sum(one[name] for name in LAYERS) for one in found)
    return ({name: round(statistics.median(one[name] for one in found)) for name in LAYERS},
            round(sums[len(sums) * 3 // 4] - sums[len(sums) // 4]))
