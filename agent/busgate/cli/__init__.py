"""The command line: one module a command, loaded only when it is called.

Law: a user's mistake is one line that says what is wrong and what to do next, never a traceback.
Exit codes, everywhere: 0 done; 1 done, and the answer is no (not verified, policy invalid, --fail-on reached);
2 it could not be done as asked (wrong file, option, key; nothing was changed); 130 interrupted.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from typing import NoReturn

import click

from busgate.model import BusgateError

COMMANDS: Mapping[str, str] = {
    "demo": "Play a recorded bus day through the gate and watch it.",
    "learn": "Propose a policy from what the T-box sends in ordinary service.",
    "replay": "Run a recorded trace through the gate and report its verdicts.",
    "play": "Play a recorded trace onto live CAN wires, and check what a gate made of it.",
    "run": "Be the gate between two live CAN interfaces.",
    "net": "Be the gate of the T-box's IP and cellular side, or only listen to it.",
    "capture": "Listen to what the T-box says to the world, and keep it.",
    "held": "Show what waits for the operator, and release or refuse it.",
    "selftest": "Check how this gate is spliced in: sides, bitrate, load, errors, denied commands.",
    "keep": "Keep the gate's signed log and send it to the SOC, as a process of its own.",
    "override": "Cut the T-box off by hand, on this machine, until the same hand lifts it.",
    "panel": "Follow the operator's key switch, and hold the bypass relay while the gate works.",
    "rules": "Show which rule of a policy the kernel keeps, and which the agent, with counters.",
    "decode": "Decode frames or payloads from standard input, one JSON object a line.",
    "verify": "Check a log or a bundle, and name the first bad record.",
    "blocked": "Say what was blocked, or would have been, from a log.",
    "inventory": "List the remote functions that were seen, beside what the vendor declares.",
    "explain": "Say in a sentence why a verdict fell.",
    "keys": "Make and show keys.",
    "policy": "Check, sign and show the operator's allowlist.",
}


class _Lazy(click.Group):
    """A group that imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"busgate.cli.{cmd_name}").command
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # click would make it exit 1 before `main` hears of it
            _leave_quietly()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  busgate demo
  busgate replay day.log --profile demo-ebus --policy policy.yaml --unsigned --tbox can1 --vehicle can0
  busgate verify busgate-log

Exit codes: 0 done; 1 the answer is no; 2 it could not be done as asked; 130 interrupted.""",
)
@click.version_option(package_name="busgate")
def group() -> None:
    """Control, with proof, what reaches a bus through its telematics unit."""


def main() -> None:
    """Run the command line; click's own way of ending is not used, since it has other exit codes than ours."""
    code = 0
    try:
        code = group(prog_name="busgate", standalone_mode=False) or 0
        sys.stdout.flush()
    except click.ClickException as fault:
        fault.show()
        code = fault.exit_code
    except click.Abort:
        code = 130
    except BusgateError as fault:
        _stop(str(fault))
    except BrokenPipeError:
        _leave_quietly()
    except OSError as fault:
        _stop(f"{fault.filename or 'system'}: {fault.strerror or fault}. Next: check the path and its permissions.")
    sys.exit(code)


def _leave_quietly() -> NoReturn:
    """The reader of our output has left, as `head` does: that is its right, and no news."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)


def _stop(sentence: str) -> NoReturn:
    from busgate.report.words import printable

    lines = [printable(line, 4000) for line in sentence.splitlines()] or [""]
    click.echo("\n".join([f"busgate: {lines[0]}", *lines[1:]]), err=True)
    sys.exit(2)
