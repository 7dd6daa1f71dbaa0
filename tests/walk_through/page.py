"""The commands of the README's way to minikube and Google Cloud."""

import re
import textwrap
from collections.abc import Iterator, Mapping

from tests.scratch import PROJECT

README = PROJECT / "README.md"
WAY, CLEAN_UP = "## On minikube and Google Cloud", "### Clean up"


def blocks(heading: str, placeholders: Mapping[str, str]) -> Iterator[str]:
    """Yield the blocks of commands below a heading, in their order and with words in place of `<placeholders>`."""
    below = README.read_text().partition(f"\n{heading}\n")[2]
    section = re.split(r"^#+ ", below, maxsplit=1, flags=re.MULTILINE)[0]
    for block in re.findall(r"^ *```\n(.*?)^ *```$", section, flags=re.DOTALL | re.MULTILINE):
        commands = textwrap.dedent(block)
        for placeholder, word in placeholders.items():
            commands = commands.replace(f"<{placeholder}>", word)
        assert not re.search(r"<[a-z ]+>", commands), f"what is to be typed for it? {commands}"
        yield commands
