"""Certificates for the tests, made by the openssl command."""

import dataclasses
import pathlib
import subprocess


@dataclasses.dataclass
class Certificate:
    certificate: pathlib.Path
    key: pathlib.Path

    def settings(self) -> dict:
        return {"certificate": str(self.certificate), "key": str(self.key)}

    def __str__(self) -> str:
        return str(self.certificate)


def make_certificate(folder: pathlib.Path, host: str, days: int = 2) -> Certificate:
    """Self-signed, for `host` and 127.0.0.1."""
    made = Certificate(folder / f"{host}.pem", folder / f"{host}.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", made.key, "-out",
                    made.certificate, "-days", str(days), "-subj", f"/CN={host}", "-addext",
                    f"subjectAltName=DNS:{host},IP:127.0.0.1"], check=True, capture_output=True)
    return made
