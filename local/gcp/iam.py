"""IAM service accounts, their keys and their policies: the handlers of iam.projects.serviceAccounts.*.

A key is a real RSA key in Google's credentials file format. Its private half is in the answer that creates it and
nowhere else, as at Google. A deleted account is gone: undelete is not implemented.
"""

import base64
import json
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.gcp.app import Call, Handler
from local.gcp.errors import conflict, invalid, not_found, not_implemented
from local.gcp.operations import timestamp
from local.gcp.policies import Policies
from local.gcp.store import Store

Json: TypeAlias = dict[str, Any]

_ACCOUNT = "iam.serviceAccount"
_KEY = "iam.key"
_FOREVER = "9999-12-31T23:59:59Z"


class ServiceAccounts:
    """All service accounts, by the name "projects/P/serviceAccounts/EMAIL"."""

    def __init__(self, store: Store, policies: Policies) -> None:
        self._store = store
        self._policies = policies

    def handlers(self) -> dict[str, Handler]:
        """Answer the handlers by method id."""
        prefix = "iam.projects.serviceAccounts"
        return {
            f"{prefix}.create": self._create,
            f"{prefix}.get": lambda call: self._find(call.path["name"]),
            f"{prefix}.list": self._list,
            f"{prefix}.patch": self._patch,
            f"{prefix}.enable": lambda call: self._disable(call, disabled=False),
            f"{prefix}.disable": lambda call: self._disable(call, disabled=True),
            f"{prefix}.delete": self._delete,
            f"{prefix}.getIamPolicy": lambda call: self._policies.get(self._find(call.path["resource"])["name"]),
            f"{prefix}.setIamPolicy": self._set_policy,
            f"{prefix}.keys.create": self._create_key,
            f"{prefix}.keys.get": self._get_key,
            f"{prefix}.keys.list": self._list_keys,
            f"{prefix}.keys.delete": self._delete_key,
        }

    def _find(self, name: str) -> Json:
        """Answer an account by its e-mail address or unique id, `-` standing for any project."""
        _, project, _, identity = name.split("/")
        for _, account in self._store.items(_ACCOUNT):
            if identity in (account["email"], account["uniqueId"]) and project in ("-", account["projectId"]):
                return account
        raise not_found(f"Unknown service account: {name}")

    def _create(self, call: Call) -> Json:
        project = call.path["name"].removeprefix("projects/")
        account_id: str = call.body.get("accountId", "")
        if not re.fullmatch(r"[a-z][-a-z0-9]{4,28}[a-z0-9]", account_id):
            raise invalid(f"accountId {account_id!r}: 6 to 30 lower-case letters, digits and hyphens.")
        email = f"{account_id}@{project}.iam.gserviceaccount.com"
        name, unique_id = f"projects/{project}/serviceAccounts/{email}", str(10**20 + secrets.randbelow(10**20))
        asked: Json = call.body.get("serviceAccount", {})
        account = {
            **{key: asked[key] for key in ("displayName", "description") if asked.get(key)},
            "name": name,
            "projectId": project,
            "uniqueId": unique_id,
            "oauth2ClientId": unique_id,
            "email": email,
            "etag": _etag(),
        }
        with self._store.transaction():
            if self._store.get(_ACCOUNT, name):
                message = f"Service account {account_id} already exists within project projects/{project}."
                raise conflict("alreadyExists", message)
            self._store.put(_ACCOUNT, name, account)
        return account

    def _list(self, call: Call) -> Json:
        return {"accounts": [a for _, a in self._store.items(_ACCOUNT, f"{call.path['name']}/")]}

    def _patch(self, call: Call) -> Json:
        account, asked = self._find(call.path["name"]), call.body.get("serviceAccount", {})
        for field in call.body.get("updateMask", "").split(","):
            key = re.sub(r"_(\w)", lambda match: match[1].upper(), field.strip())
            if key not in ("displayName", "description"):
                raise invalid(f"updateMask: {field!r} cannot be changed, only display_name and description.")
            account[key] = asked.get(key, "")
        return self._save(account)

    def _disable(self, call: Call, *, disabled: bool) -> Json:
        self._save(self._find(call.path["name"]) | {"disabled": disabled})
        return {}

    def _save(self, account: Json) -> Json:
        account["etag"] = _etag()
        self._store.put(_ACCOUNT, account["name"], account)
        return account

    def _delete(self, call: Call) -> Json:
        name = self._find(call.path["name"])["name"]
        with self._store.transaction():
            for key, _ in self._store.items(_KEY, f"{name}/"):
                self._store.delete(_KEY, key)
            self._policies.delete(name)
            self._store.delete(_ACCOUNT, name)
        return {}

    def _set_policy(self, call: Call) -> Json:
        name = self._find(call.path["resource"])["name"]
        return self._policies.set(name, call.body.get("policy", {}))

    def _create_key(self, call: Call) -> Json:
        account = self._find(call.path["name"])
        if call.body.get("privateKeyType") == "TYPE_PKCS12_FILE":
            raise not_implemented("privateKeyType TYPE_PKCS12_FILE")
        if call.body.get("keyAlgorithm") == "KEY_ALG_RSA_1024":
            raise not_implemented("keyAlgorithm KEY_ALG_RSA_1024")
        private, key_id = rsa.generate_private_key(public_exponent=65537, key_size=2048), secrets.token_hex(20)
        key: Json = {
            "name": f"{account['name']}/keys/{key_id}",
            "keyAlgorithm": "KEY_ALG_RSA_2048",
            "keyOrigin": "GOOGLE_PROVIDED",
            "keyType": "USER_MANAGED",
            "validAfterTime": timestamp(),
            "validBeforeTime": _FOREVER,
        }
        self._store.put(_KEY, key["name"], {"key": key, "certificate": _certificate(private, account["uniqueId"])})
        content = json.dumps(_credentials(account, key_id, private, f"{call.base_url}token"), indent=2)
        return {
            **key,
            "privateKeyType": "TYPE_GOOGLE_CREDENTIALS_FILE",
            "privateKeyData": base64.b64encode(content.encode()).decode(),
        }

    def _find_key(self, name: str) -> Json:
        account, _, key_id = name.partition("/keys/")
        record = self._store.get(_KEY, f"{self._find(account)['name']}/keys/{key_id}")
        if record is None:
            raise not_found(f"Service account key {key_id} does not exist.")
        return record

    def certificates(self, email: str) -> dict[str, str]:
        """Answer what the keys of an account sign, as PEM by key id; nothing for one that is disabled or unknown."""
        name = _name(email)
        if (self._store.get(_ACCOUNT, name) or {"disabled": True}).get("disabled"):
            return {}
        keys = self._store.items(_KEY, f"{name}/")
        return {key.rpartition("/")[2]: base64.b64decode(record["certificate"]).decode() for key, record in keys}

    def lends_itself(self, email: str, member: str) -> bool:
        """Tell whether an account that is not disabled lets a member act as it (Workload Identity)."""
        account = self._store.get(_ACCOUNT, _name(email)) or {"disabled": True}
        bindings = self._policies.in_force(_name(email))
        granted = [each["members"] for each in bindings if each["role"] == "roles/iam.workloadIdentityUser"]
        return not account.get("disabled") and any(member in members for members in granted)

    def _get_key(self, call: Call) -> Json:
        record = self._find_key(call.path["name"])
        if call.query.get("publicKeyType") in (None, "TYPE_NONE"):
            return record["key"]
        return {**record["key"], "publicKeyData": record["certificate"]}

    def _list_keys(self, call: Call) -> Json:
        name = self._find(call.path["name"])["name"]
        return {"keys": [record["key"] for _, record in self._store.items(_KEY, f"{name}/")]}

    def _delete_key(self, call: Call) -> Json:
        self._store.delete(_KEY, self._find_key(call.path["name"])["key"]["name"])
        return {}


def _credentials(account: Json, key_id: str, private: rsa.RSAPrivateKey, token_uri: str) -> Json:
    """Answer the content of a credentials file (https://google.aip.dev/auth/4112)."""
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account",
        "project_id": account["projectId"],
        "private_key_id": key_id,
        "private_key": pem.decode(),
        "client_email": account["email"],
        "client_id": account["uniqueId"],
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": token_uri,
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "universe_domain": "googleapis.com",
    }


def _certificate(private: rsa.RSAPrivateKey, unique_id: str) -> str:
    """Answer the public half as Google does: a self-signed certificate, PEM, in base64."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, unique_id)])
    now = datetime.now(UTC)
    certificate = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=private.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now,
        not_valid_after=now + timedelta(days=365 * 100),
    ).sign(private, hashes.SHA256())
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.PEM)).decode()


def _name(email: str) -> str:
    return f"projects/{project_of(email)}/serviceAccounts/{email}"


def project_of(email: str) -> str:
    """Answer the project that a service account's address names."""
    return email.partition("@")[2].partition(".")[0]


def _etag() -> str:
    return base64.b64encode(secrets.token_bytes(9)).decode()
