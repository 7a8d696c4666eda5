# SPDX-License-Identifier: BSD-2-Clause
"""From QEMU's trace of executed instructions to instructions a layer, by the image's line table."""

import collections
import pathlib
import re
import shutil
import statistics
import subprocess

LAYERS = ("driver", "glue", "lwip", "application", "runtime")
TIMERS = "timers"  # beside the layers: what time costs, not packets
FOLDERS = {"virtio": "driver", "pci": "driver", "net": "glue", "lwip": "lwip", "arch": "runtime",
           "runtime": "runtime", "boot": "runtime", "examples": "application"}
# Of arch/: the way of interrupts, and of accesses to the card.
DRIVER = re.compile(r"arch/(\w+/(interrupts\.c|vectors\.S|msi\.c)|pci_platform\.c)$")
TIMER_FUNCTIONS = {"advance_clock", "lwip_port_timers", "sys_check_timeouts"}
# The function of each event that a trace is divided and classified by; a clone has a suffix.
RECEIVED, SENT, COMPLETED = EVENTS = "port_receive", "port_link_output", "port_transmitted"
LOW_VECTORS = 0x3000  # the PowerPC's exception vectors are copies, which no line is known of
PREFIXES = {"i386": ("i686-elf-", "i686-linux-gnu-", ""),
            "ppc": ("powerpc-eabi-", "powerpc-linux-gnu-", "")}


def layer(chain):
    """The layer of an instruction: chain has (function, file) of what is inlined there, innermost
    first. What arch/ has inline counts for who calls it."""
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
    """An ELF image with line information, and what its addresses are part of."""

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

    def run(self, tool, *arguments, text=None):
        return subprocess.run([self.prefix + tool, *arguments], input=text, text=True,
                              stdout=subprocess.PIPE, check=True).stdout

    def compiler(self):
        """As "gcc 12.2.0"; None: not known."""
        found = re.search(r"DW_AT_producer.*: GNU GIMPLE (\d+\.\d+\.\d+)",
                          self.run("readelf", "--debug-dump=info", "--dwarf-depth=1", self.path))
        return found and f"gcc {found[1]}"

    def is_entry(self, address):
        """Whether an interrupt begins there."""
        if self.arch == "i386":
            return self.symbols["vector_stubs"] <= address < self.symbols["trap_common"]
        return address in (0x500, 0x900)

    def learn(self, addresses):
        """Looks up the layers of these addresses, all at once."""
        new = sorted(set(addresses) - self.layers.keys())
        lines = self.run("addr2line", "-a", "-i", "-f", "-e", self.path,
                         text="".join(f"{address:x}\n" for address in new)).splitlines()
        starts = [i for i, line in enumerate(lines) if line.startswith("0x")] + [len(lines)]
        for start, end in zip(starts, starts[1:]):
            address = int(lines[start], 16)
            files = [re.sub(r"^(\./)+|:\S+( \(.*)?$", "", line) for line in lines[start + 2:end:2]]
            chain = list(zip(lines[start + 1:end:2], files))
            self.layers[address] = "driver" if address < LOW_VECTORS else layer(chain)


def executed(path):
    """The addresses of the instructions that were executed, in order. What QEMU began and had to
    take back is not one: it appears again."""
    addresses = []
    with pathlib.Path(path).open(encoding="ascii", errors="replace") as trace:
        for line in trace:
            if line.startswith("Trace "):
                addresses.append(int(line.split("/", 2)[1], 16))
            elif addresses and line.startswith(("cpu_io_recompile: rewound", "Stopped execution")):
                addresses.pop()  # without one, what was taken back ran before the trace began
    return addresses


def wakes(image, path):
    """Divides a trace at its interrupts. Yields of each part, up to the next interrupt, the numbers
    of its EVENTS, and the instructions of each layer."""
    addresses = executed(path)
    image.learn(addresses)
    events = [image.symbols[name] for name in EVENTS]
    starts = [i for i, address in enumerate(addresses)
              if image.is_entry(address) and not (i > 0 and image.is_entry(addresses[i - 1]))]
    for start, end in zip(starts, starts[1:]):
        part = collections.Counter(addresses[start:end])
        layers = collections.Counter()
        for address, count in part.items():
            layers[image.layers[address]] += count
        yield tuple(part[event] for event in events), layers


def packets(image, path):
    """The same, without what only the clock's tick costs: a tick belongs to the packets before it,
    of which it may report that they are sent, and counts as far as it does more than others. An interrupt
    that comes before the loop has run for the one before is none of these."""
    parts = list(wakes(image, path))
    idle = [layers for events, layers in parts if not any(events) and layers["glue"]]
    assert idle, "no tick of the clock without packets"
    tick = medians(idle)[0]
    groups = []
    for events, layers in parts:
        if events[0] > 0:
            groups.append((events, layers))
        elif groups and any(events):
            before, sums = groups[-1]
            sums.update(layers)
            sums.subtract(tick)
            groups[-1] = (tuple(map(sum, zip(before, events))), sums)
    return groups


def medians(found):
    """Of several counters: the median of each layer, and between which the middle half of their
    sums lies."""
    sums = sorted(sum(one[name] for name in LAYERS) for one in found)
    return ({name: round(statistics.median(one[name] for one in found)) for name in LAYERS},
            round(sums[len(sums) * 3 // 4] - sums[len(sums) // 4]))
