"""What others' scanners, checkov and kube-score, find in what is deployed, against what is accepted with a reason."""

from tests.policy.scanners.accepted import ACCEPTED, problems
from tests.policy.scanners.finding import Finding
from tests.policy.scanners.manifests import scan_manifests
from tests.policy.scanners.plan import scan_google

__all__ = ["ACCEPTED", "Finding", "problems", "scan_google", "scan_manifests"]
