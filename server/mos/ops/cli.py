"""The `mos` command: finds the module of a sub-command and hands over.

Each command is a module of this package with a function `command`. Only the one that was asked for
is imported: `mos up` starts several processes, and a second start should take moments.
"""

import resource
import sys
from importlib import import_module

import typer

from mos import __version__
from mos.ops.bootstrap import COMMANDS


def version() -> None:
    """Print the version of this MOS, and by which time-zone rules it plans."""
    from mos.kernel.zones import zone_release  # noqa: PLC0415  no other command needs it here

    print(__version__)
    zones = zone_release()
    whose = "the tzdata wheel" if zones.source == "wheel" else zones.path
    print(f"time zones {zones.name}, from {whose}")


def build(wanted: str | None) -> typer.Typer:
    """Return the command line with the command `wanted`, or with all of them for an overview."""
    app = typer.Typer(
        help="MOS, the food-and-sleep clock.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    # A callback keeps sub-commands even where only one is registered.
    app.callback()(lambda: None)
    for name in COMMANDS if wanted not in COMMANDS else (wanted,):
        line = COMMANDS[name]
        if name == "version":
            app.command(short_help=line)(version)
            continue
        module = import_module(f"mos.ops.{name.replace('-', '_')}")
        if isinstance(module.command, typer.Typer):
            app.add_typer(module.command, name=name, short_help=line)
        else:
            app.command(name, short_help=line, no_args_is_help=False)(module.command)
    return app


def main() -> None:
    """Run the command that the arguments name."""
    # A crash leaves no memory behind on the disk: there are keys in it.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    words = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    build(words[0] if words else None)(prog_name="mos")


if __name__ == "__main__":
    main()
