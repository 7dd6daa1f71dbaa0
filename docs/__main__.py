"""Makes the generated parts of the documentation anew: `python -m docs`."""

import sys

from docs import graph, picture, settings_table
from docs.settings_table import PROJECT
from local.errors import UserError


def main() -> int:
    """Write the table of settings and the picture of the architecture; return the exit status."""
    readme = PROJECT / "README.md"
    readme.write_text(settings_table.filled(readme.read_text()))
    try:
        (PROJECT / "docs" / "architecture.svg").write_text(picture.draw(graph.planned()))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command-line tool
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
