"""Day two: what a platform engineer does with a stack that runs, each a command (`python -m operations VERB`).

Owns the order of steps that go beyond one `pulumi up`: backups and restores, releases of MLflow, passwords, drift.
Leaves to the program what a stack is made of. Takes Google's application default credentials, and `pulumi` and
`kubectl` as they are on PATH; stand-ins are met by their addresses in the stack's settings alone.
"""

import warnings

# Of a Python that Google supports for another year; said in the midst of what a command has to say.
warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\.")
