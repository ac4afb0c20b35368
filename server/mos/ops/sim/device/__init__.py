"""A simulated device: the app's replica (pwa/src/offline) in Python, its disk and its tabs.

What lies in `Disk` survives a crash; what an `Engine` knows does not. Every change of the disk is
one transaction of the app: between two of them the app may be killed. An engine's round is a
generator that yields requests and is sent answers, so that time passes where the world says so.
"""

from mos.ops.sim.device.device import Crashed, Device
from mos.ops.sim.device.disk import RING_MS, Disk, Row, Waiting, fingerprint, seq_of
from mos.ops.sim.device.engine import Engine, Offline, Round

__all__ = [
    "RING_MS",
    "Crashed",
    "Device",
    "Disk",
    "Engine",
    "Offline",
    "Round",
    "Row",
    "Waiting",
    "fingerprint",
    "seq_of",
]
