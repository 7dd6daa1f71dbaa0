"""Faults of single resources at Google Cloud: the rule, the resource, what is wrong with it and what is said."""

from pulumi_policy import ResourceValidationPolicy

from policy import google, grants
from tests.policy.resources import Faults

Row = tuple[ResourceValidationPolicy, str, Faults, str]

NETWORKS = "settings.ipConfiguration.authorizedNetworks"
POOL = "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/*"


def networks(*values: str) -> Faults:
    """Return authorized networks."""
    return {NETWORKS: [{"value": value} for value in values]}


GOOGLE: list[Row] = [
    (google.databases_are_closed_to_the_internet, "database", networks("0.0.0.0/0"), "0.0.0.0/0"),
    (google.databases_are_closed_to_the_internet, "database", networks("0.0.0.0/1", "128.0.0.0/1"), "0.0.0.0/0"),
    (google.databases_are_closed_to_the_internet, "database", networks("16.0.0.0/5"), "16.0.0.0/5"),
    (google.databases_are_closed_to_the_internet, "database", networks("::/0"), "::/0"),
    (google.databases_are_closed_to_the_internet, "database", networks("everywhere"), "'everywhere'"),
    (
        google.databases_are_closed_to_the_internet,
        "database",
        networks(*(f"{first}.0.0.0/8" for first in range(1, 256, 2))),
        "1.0.0.0/8, 3.0.0.0/8",
    ),
    (google.databases_are_closed_to_the_internet, "database", {NETWORKS: [{"name": "office"}]}, "'not set'"),
    (google.databases_are_closed_to_the_internet, "database", networks("10.0.0.0/7"), "10.0.0.0/7"),
    (google.databases_are_closed_to_the_internet, "database", networks("11.0.0.0/8", "12.0.0.0/8"), "12.0.0.0/8"),
    (google.firewalls_are_closed_to_the_internet, "firewall", {"sourceRanges": ["0.0.0.0/0"]}, "0.0.0.0/0"),
    (google.firewalls_are_closed_to_the_internet, "firewall", {"sourceRanges": ["10.0.0.0/8", "::/0"]}, "::/0"),
    (
        google.firewall_policies_are_closed_to_the_internet,
        "firewall-policy",
        {"match.srcIpRanges": ["0.0.0.0/0"]},
        "match.srcIpRanges opens it to 0.0.0.0/0",
    ),
    (
        google.clusters_are_closed_to_the_internet,
        "cluster",
        {"masterAuthorizedNetworksConfig.cidrBlocks": [{"cidrBlock": "0.0.0.0/0"}]},
        "cidrBlocks opens it to 0.0.0.0/0",
    ),
    (
        google.databases_take_encrypted_connections_only,
        "database",
        {"settings.ipConfiguration.sslMode": "ALLOW_UNENCRYPTED_AND_ENCRYPTED"},
        "sslMode is ALLOW_UNENCRYPTED_AND_ENCRYPTED: set it to ENCRYPTED_ONLY",
    ),
    (
        google.databases_take_encrypted_connections_only,
        "database",
        {"settings.ipConfiguration.sslMode": None},
        "sslMode is not set",
    ),
    (google.buckets_have_uniform_access, "bucket", {"uniformBucketLevelAccess": None}, "is not set"),
    (google.buckets_have_uniform_access, "bucket", {"uniformBucketLevelAccess": False}, "is false"),
    (google.buckets_prevent_public_access, "bucket", {"publicAccessPrevention": "inherited"}, "is inherited"),
    (grants.nothing_is_granted_to_everybody, "grant", {"member": "allUsers"}, "member names allUsers"),
    (
        grants.nothing_is_granted_to_everybody,
        "grant",
        {"policyData": '{"members": ["allAuthenticatedUsers"]}'},
        "allAuthenticatedUsers",
    ),
    (grants.nothing_is_granted_to_everybody, "bucket", {"predefinedAcl": "publicRead"}, "publicRead"),
    (grants.roles_are_narrow, "grant", {"role": "roles/owner"}, "roles/owner"),
    (grants.roles_are_narrow, "grant", {"role": "roles/editor"}, "roles/editor"),
    (grants.roles_are_narrow, "grant", {"role": "roles/storage.admin"}, "roles/storage.admin"),
    (grants.roles_are_narrow, "grant", {"policyData": '{"role": "roles/iam.admin"}'}, "roles/iam.admin"),
    *(
        (grants.roles_are_narrow, "grant", {"role": f"roles/{role}"}, f"role is roles/{role}: take")
        for role in (
            *("admin", "writer", "iam.securityAdmin", "iam.serviceAccountTokenCreator", "iam.serviceAccountUser"),
            *("resourcemanager.projectIamAdmin", "bigquery.dataOwner", "storage.legacyBucketOwner"),
        )
    ),
    (
        grants.service_accounts_are_lent_to_pods_only,
        "lend",
        {"role": "roles/iam.serviceAccountTokenCreator"},
        "serviceAccountTokenCreator",
    ),
    *(
        (grants.service_accounts_are_lent_to_pods_only, "lend", {field: value}, f"names {member}")
        for field, value, member in (
            ("member", "user:mallory@example.com", "user:mallory@example.com"),
            ("member", "user:a.svc.id.goog@example.com", "user:a.svc.id.goog@example.com"),
            ("members", ["group:all@example.com"], "group:all@example.com"),
            ("members", [POOL], POOL),
            ("policyData", '{"bindings": [{"members": ["user:a@example.com"]}]}', "user:a@example.com: name a pod"),
        )
    ),
]
