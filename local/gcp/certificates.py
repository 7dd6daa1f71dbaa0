"""Certificates of one Cloud SQL instance: its own authority, and the server certificate that the authority signs.

As at Google the server certificate names "project:instance" and no host, so clients verify the authority
(sslmode=verify-ca), not the host name.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LIFETIME = timedelta(days=3650)


@dataclass(frozen=True, kw_only=True)
class ServerCertificates:
    """PEM texts: the authority's certificate, the server's certificate and its key."""

    authority: bytes
    certificate: bytes
    key: bytes


def make(project: str, instance: str) -> ServerCertificates:
    """Make an authority and a server certificate; the authority's key is not kept."""
    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "Cloud SQL stand-in Server CA"),
            x509.NameAttribute(NameOID.DN_QUALIFIER, f"{project}:{instance}"),
        ]
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{project}:{instance}"[:64])])
    authority = _builder(issuer, issuer, authority_key).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    server = _builder(subject, issuer, server_key).add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    pem = serialization.Encoding.PEM
    return ServerCertificates(
        authority=authority.sign(authority_key, hashes.SHA256()).public_bytes(pem),
        certificate=server.sign(authority_key, hashes.SHA256()).public_bytes(pem),
        key=server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def describe(authority: bytes, instance: str) -> dict[str, str]:
    """Answer the authority as Cloud SQL's `serverCaCert` (schema SslCert)."""
    certificate = x509.load_pem_x509_certificate(authority)
    der = certificate.public_bytes(serialization.Encoding.DER)
    return {
        "kind": "sql#sslCert",
        "certSerialNumber": "0",
        "cert": authority.decode().strip(),
        "commonName": certificate.subject.rfc4514_string(),
        "sha1Fingerprint": hashlib.sha1(der, usedforsecurity=False).hexdigest(),
        "instance": instance,
        "createTime": certificate.not_valid_before_utc.isoformat().replace("+00:00", ".000Z"),
        "expirationTime": certificate.not_valid_after_utc.isoformat().replace("+00:00", ".000Z"),
    }


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(minutes=5),
        not_valid_after=now + _LIFETIME,
    )
