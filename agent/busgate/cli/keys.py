"""`busgate keys`: make a key, and show the public half of one."""

from __future__ import annotations

from pathlib import Path

import click

from busgate.trust.keys import is_test_key, new_key, public_half, public_path
from busgate.trust.note import KeyType

_KINDS = {
    KeyType.ED25519: "Ed25519, signs notes (0x01)",
    KeyType.ECDSA: "ECDSA P-256, signs notes (0x02)",
    KeyType.COSIGNATURE: "Ed25519, cosigns checkpoints (0x04)",
}


@click.group(
    epilog="""\b
Examples:
  busgate keys new bus-0421.example.org --out device.key
  busgate keys show device.key.vkey""",
)
def command() -> None:
    """Make and show keys.

    A key is a name and an Ed25519 key pair. The private file stays where it was made; the .vkey file beside it is for
    everybody who has to check what the key signs.
    """


@command.command(
    epilog="""\b
Examples:
  busgate keys new operator.example.org --out operator.key
  busgate keys new bus-0421.example.org

\b
Exit codes: 0 made; 2 not made, and nothing was changed.""",
)
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="The private file. Default: NAME's last part and .key.")
def new(*, name: str, out: Path | None) -> None:
    """Make a key that signs under NAME, such as a domain or a domain and a path."""
    path = out if out is not None else Path(f"{name.rpartition('/')[2]}.key")
    verifier = new_key(name, path)
    click.echo(f"private  {path}  (yours alone: no copy, no mail; there is no second one)")
    click.echo(f"public   {public_path(path)}  (for everybody who checks what it signs)")
    click.echo(f"vkey     {verifier.text}")


@command.command(
    epilog="""\b
Examples:
  busgate keys show device.key
  busgate keys show device.key.vkey

\b
Exit codes: 0 shown; 2 it is no key.""",
)
@click.argument("file")
def show(*, file: str) -> None:
    """Show the public half of a key: FILE is a private or a public key file, or the text of a public key."""
    verifier = public_half(file)
    click.echo(f"name     {verifier.name}")
    click.echo(f"key id   {verifier.key_id.hex()}")
    click.echo(f"type     {_KINDS[verifier.kind]}")
    click.echo(f"vkey     {verifier.text}")
    if is_test_key(verifier):
        click.echo("This is the published test key, which everybody has: what it signs proves nothing.")
