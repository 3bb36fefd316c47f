"""Certificates made at run time: an authority, and servers that it vouches for."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime.now(dt.UTC)


class Authority:
    """A certificate authority. ca_file: its own certificate as PEM."""

    def __init__(self, folder: Path, name: str = "Test Authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        builder = _unsigned(self._name, self._name, self._key, -365.0, 365.0)
        self._certificate = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(
            self._key, hashes.SHA256()
        )
        self.ca_file = str(folder / f"{name}.pem")
        (folder / f"{name}.pem").write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def serving(
        self, *, host: str = "127.0.0.1", starts: float = -1.0, ends: float = 30.0, self_signed: bool = False
    ) -> ssl.SSLContext:
        """Return a server's context; its certificate is for `host`, from `starts` to `ends` days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _named("server")
        builder = _unsigned(subject, subject if self_signed else self._name, key, starts, ends)
        alternative = x509.SubjectAlternativeName([_alternative(host)])
        certificate = builder.add_extension(alternative, critical=False).sign(
            key if self_signed else self._key, hashes.SHA256()
        )
        path = self._folder / "server.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, starts: float, ends: float
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=NOW + dt.timedelta(days=starts),
        not_valid_after=NOW + dt.timedelta(days=ends),
    )
