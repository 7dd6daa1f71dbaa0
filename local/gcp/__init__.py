"""The Google Cloud stand-in: what this package offers to programs that run outside its environment.

The stand-in itself (`python -m local.gcp`) needs the packages of requirements-local.txt. This module and
`postgres_programs` do not: the command line imports them before any package is installed.

What stands behind an instance is PostgreSQL of the major version that `databaseVersion` asks for when it is made; a
later version asked for is recorded and answered, and the engine stays. Of the machine type counts how many connections
it takes. Disk, availability and maintenance are recorded, and have no effect. Backups, automated ones as well, are real
copies, networks are names.
"""

LONGEST_STATE = 60
"""Characters of the path of its state: PostgreSQL's socket lies 35 below, and a socket's path ends at 107 (unix(7))."""


def endpoints(base_url: str) -> dict[str, str]:
    """Answer the settings of the Pulumi gcp provider that send it to the stand-in at `base_url` ("http://10.89.1.1:8085").

    For http://H:P they are http://H:P/sql/v1beta4/, http://H:P/storage/v1/, http://H:P/iam/v1/ and so on. The provider
    takes the version off an https address only, so over http its older clients ask for /sql/v1beta4/sql/v1beta4/…,
    /iam/v1/v1/… and /servicenetworking/v1/v1/…; the stand-in reads a doubled version as one. The resource manager is
    asked for the number of a network's project.
    """
    root = base_url.rstrip("/")
    return {
        "sqlCustomEndpoint": f"{root}/sql/v1beta4/",
        "storageCustomEndpoint": f"{root}/storage/v1/",
        "iamCustomEndpoint": f"{root}/iam/v1/",
        "computeCustomEndpoint": f"{root}/compute/v1/",
        "serviceNetworkingCustomEndpoint": f"{root}/servicenetworking/v1/",
        "resourceManagerCustomEndpoint": f"{root}/cloudresourcemanager/v1/",
    }
