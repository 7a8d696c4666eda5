# SPDX-License-Identifier: BSD-2-Clause
"""Random device options and boot arguments of the guest."""

import dataclasses

LARGE_MTU = 9000


@dataclasses.dataclass(frozen=True)
class Options:
    device: str
    append: str
    mtu: int
    modern: bool
    packed: bool

    def __str__(self):
        return f'device "{self.device}", arguments "{self.append}"'


def some(random, choices, at_most):
    return random.sample(choices, random.randint(0, at_most))


def draw(random):
    """Those of one segment."""
    device = some(random, ["csum=off", "gso=off", "mrg_rxbuf=off", "event_idx=off",
                           "indirect_desc=off", "guest_tso4=off,guest_tso6=off", "host_tso4=off",
                           "ioeventfd=off", "ctrl_vq=off", "rx_queue_size=512",
                           "vectors=0", "guest_csum=off"], 3)
    interface = random.choice(("disable-modern=on", "disable-legacy=on", "", "packed=on"))
    mtu = random.choice((1500, 1500, 1280, 1400, 2000, LARGE_MTU))
    device += [interface] * bool(interface) + [f"host_mtu={mtu}"] * (mtu != 1500)
    append = [f"mode={random.choice(('irq', 'poll', 'hybrid'))}",
              f"irq={random.choice(('auto', 'intx', 'msix'))}"]
    append += some(random, ["bufinit=2", "bufmax=64", "rxdyn=0", "poll_us=100", "bounded=1"], 2)
    return Options(device=",".join(device), append=" ".join(append), mtu=mtu,
                   modern=interface != "disable-modern=on", packed=interface == "packed=on")
