"""Small bundles, and the key that signs them."""

from convert.pack import finish, now, sign, write_manifest
from edge.bundle.manifest import Manifest
from edge.bundle.signature import Trust, generate

KEY, PUBLIC = generate()
TRUST = Trust(keys={KEY.id: PUBLIC})
FILES = {"net.tflite": b"not a net", "docs/card.md": b"what it learnt from"}


def make(folder, *, key=KEY, files=FILES, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    fields = {"kind": "fusion", "name": "site", "version": "1.0.0", "created": now(), "licence": "CC0-1.0"} | changes
    write_manifest(folder, Manifest(**fields))
    finish(folder, None)
    if key:
        sign(folder, key)
    return folder
