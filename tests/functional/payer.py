"""Signed transfers from a key file, made in Python and signed by the openssl program."""

import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from gradient_node import SOURCE

sys.path.append(str(SOURCE / "tests/reference"))
import transactions  # noqa: E402

PRIVATE_KEY_HEAD = bytes.fromhex("302e020100300506032b657004220420")  # PKCS #8 of an Ed25519 seed
COIN = 10**8
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def address_text(address):
    """An address as people write it (chain/SPEC.md section 1): bech32m, the first digit its version."""
    bits = int.from_bytes(address[1:], "big") << 4  # 256 bits in 52 digits of five
    digits = [address[0]] + [bits >> (5 * place) & 31 for place in reversed(range(52))]
    prefix = "grad"
    spread = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    checksum = 1
    for value in [*spread, *digits, 0, 0, 0, 0, 0, 0]:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, constant in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> bit & 1:
                checksum ^= constant
    checksum ^= 0x2BC830A3
    digits += [checksum >> (5 * place) & 31 for place in reversed(range(6))]
    return prefix + "1" + "".join(BECH32[digit] for digit in digits)


class Payer:
    """An account whose secret is known: a node's miner, read from its key file."""

    def __init__(self, node):
        rates = node.rpc("fee_rates")
        self.network_id = rates["network_id"]
        self.genesis = bytes.fromhex(rates["genesis"])
        whole, _, part = rates["byte_fee"].partition(".")
        self.byte_fee = int(whole) * COIN + int(part.ljust(8, "0"))
        secret = bytes.fromhex((node.folder / "miner.key").read_text().strip())
        self.folder = tempfile.TemporaryDirectory(prefix="gradient_payer_")
        self.key = Path(self.folder.name) / "key.der"
        self.key.write_bytes(PRIVATE_KEY_HEAD + secret)
        self.public = self.openssl("pkey", "-in", self.key, "-inform", "DER", "-pubout", "-outform", "DER")[-32:]
        self.address = transactions.address(self.public)
        self.text = address_text(self.address)
        self.lock = threading.Lock()

    @staticmethod
    def openssl(*arguments):
        return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=True).stdout

    def transfer(self, nonce, to, amount):
        """Returns (id, encoding in hexadecimal) of a signed transfer of `amount` units."""
        made = {"network_id": self.network_id, "sender": self.public.hex(), "nonce": nonce, "fee": 0,
                "action": {"kind": "transfer", "to": to.hex(), "amount": amount}}
        made["fee"] = 2 * transactions.least_fee(made, self.byte_fee, 0)
        with self.lock:
            text = Path(self.folder.name) / "text"
            text.write_bytes(transactions.message(self.genesis, made))
            signature = self.openssl("pkeyutl", "-sign", "-inkey", self.key, "-keyform", "DER", "-rawin", "-in", text)
        encoded = b"\0" + transactions.encode_unsigned(made) + signature
        return transactions.transaction_id(made, signature).hex(), encoded.hex()
