"""The kernel's own test camera (Linux: Documentation/admin-guide/media/vivid.rst), plugged and unplugged."""

from __future__ import annotations

from tests.acceptance.vm.machine import Machine

DEVICE = "/dev/v4l/by-path/platform-vivid.0-video-index0"
DRIVER = "/sys/bus/platform/drivers/vivid"


def load(machine: Machine) -> None:
    """The driver is there, with one webcam plugged in."""
    machine.run("modprobe", "vivid", "n_devs=1", "node_types=0x1", "input_types=0x00").good()
    machine.run("udevadm", "settle").good()


def unplug(machine: Machine) -> None:
    """Pull it out."""
    machine.run("sh", "-c", f"echo vivid.0 > {DRIVER}/unbind").good()


def plug(machine: Machine) -> None:
    """Plug it in."""
    machine.run("sh", "-c", f"echo vivid.0 > {DRIVER}/bind").good()
    machine.run("udevadm", "settle").good()


def node(machine: Machine) -> str:
    """Which device node its path leads to now."""
    return machine.run("readlink", "-f", DEVICE).good().output.strip()


def brightness(machine: Machine, value: int) -> None:
    """0 is dark, 128 usual, 255 bright."""
    machine.run("v4l2-ctl", "-d", DEVICE, "-c", f"brightness={value}").good()
