"""Strategies that damage files: any bytes, and, knowing a format, its structure, so that later checks run too."""

from __future__ import annotations

import copy
import io
import json
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
from hypothesis import strategies as st

# Values that programs do not expect where something else stood.
HOSTILE = st.sampled_from(
    [
        None, True, False, 0, -1, 1, 2.5, 10**9, 10**30, -(10**30), 1e308, float("nan"), float("inf"), "", " ", "\x00",
        "../x", "/etc/passwd", "x" * 1000, "\U0001f600", [], [[]], [None], {}, {"a": None}, [1] * 50, "9" * 400,
    ]
)  # fmt: skip


@st.composite
def bytes_of(draw: st.DrawFn, whole: bytes) -> bytes:
    """Cut short, some bytes changed, inserted, left out or repeated; or something else altogether."""
    kind = draw(st.sampled_from(["cut", "change", "insert", "drop", "repeat", "other"]))
    place = st.integers(0, max(0, len(whole) - 1))
    if kind == "cut":
        return whole[: draw(place)]
    if kind == "change":
        changed = bytearray(whole)
        for at in draw(st.lists(place, min_size=1, max_size=8)) if whole else ():
            changed[at] = draw(st.integers(0, 255))
        return bytes(changed)
    if kind == "insert":
        at = draw(place)
        return whole[:at] + draw(st.binary(max_size=40)) + whole[at:]
    if kind in ("drop", "repeat"):
        a, b = sorted((draw(place), draw(place)))
        return whole[:a] + whole[b:] if kind == "drop" else whole[:b] + whole[a:]
    return draw(st.binary(max_size=200))


@st.composite
def tree(draw: st.DrawFn, whole: Any) -> Any:
    """A JSON value in which one to three entries are replaced, removed or added."""
    value = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(value))
        if not places:
            return copy.deepcopy(draw(HOSTILE))
        parent, key = draw(st.sampled_from(places))
        action = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
        if action == "replace":
            parent[key] = copy.deepcopy(draw(HOSTILE))
        elif action == "remove":
            del parent[key]
        elif isinstance(parent, dict):
            parent[draw(st.text(max_size=8))] = copy.deepcopy(draw(HOSTILE))
        else:
            parent.insert(key, copy.deepcopy(draw(HOSTILE)))
    return value


def _places(value: Any):
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(entries):
        yield value, key
        yield from _places(inner)


def json_of(whole: Any) -> st.SearchStrategy[bytes]:
    """A damaged JSON document."""
    text = json.dumps(whole).encode()
    deep = st.integers(1, 3).map(lambda n: b"[" * 10**n * 5)
    return st.one_of(tree(whole).map(lambda v: json.dumps(v).encode()), bytes_of(text), deep)


@st.composite
def npy_of(draw: st.DrawFn, shape: tuple[int, ...]) -> bytes:
    """A .npy file with a header that may lie, over a body that may be short."""
    descr = draw(
        st.sampled_from(["<f4", "<f8", ">f4", "<f2", "|O", "<i8", "|u1", "<c8", "|S3", "<U2", "|V4", "x", "<f99"])
    )
    size = draw(st.one_of(st.just(shape), st.lists(st.sampled_from([0, 1, 2, 3, 7, 10**6, 10**12, -1]), max_size=5)))
    order = draw(st.one_of(st.booleans(), HOSTILE))
    header = repr({"descr": descr, "fortran_order": order, "shape": tuple(size)})
    header = draw(
        st.one_of(st.just(header), st.text(max_size=60), bytes_of(header.encode()).map(lambda b: b.decode("latin1")))
    )
    encoded = header.encode("utf-8", "replace") + b"\n"
    body = draw(st.one_of(st.just(np.zeros(shape, np.float32).tobytes()), st.binary(max_size=64)))
    version = draw(st.sampled_from([b"\x01\x00", b"\x02\x00", b"\x09\x00"]))
    length = struct.pack("<H", len(encoded) % 65536) if version[0] == 1 else struct.pack("<I", len(encoded))
    return b"\x93NUMPY" + version + length + encoded + body


@st.composite
def npz_of(draw: st.DrawFn, arrays: dict[str, np.ndarray]) -> bytes:
    """An archive of arrays, of which one is damaged, missing or another; or an archive with changed bytes."""
    buffer = io.BytesIO()
    victim = draw(st.sampled_from(sorted(arrays)))
    action = draw(st.sampled_from(["damage", "lie", "drop", "other", "bytes"]))
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.save(member, array)
            data = member.getvalue()
            if name == victim:
                if action == "drop":
                    continue
                if action == "damage":
                    data = draw(bytes_of(data))
                elif action == "lie":
                    data = draw(npy_of(array.shape))
                elif action == "other":
                    other = io.BytesIO()
                    np.save(
                        other,
                        draw(st.sampled_from([np.zeros(0), np.zeros((2, 2), int), np.array("x"), np.ones(3, bool)])),
                    )
                    data = other.getvalue()
            archive.writestr(f"{name}.npy", data)
    whole = buffer.getvalue()
    return draw(bytes_of(whole)) if action == "bytes" else whole


def archive_of(whole: bytes) -> st.SearchStrategy[bytes]:
    """`npz_of` the arrays of an archive."""
    with np.load(io.BytesIO(whole)) as arrays:
        return npz_of(dict(arrays))


@st.composite
def safetensors_of(draw: st.DrawFn, whole: bytes) -> bytes:
    """A safetensors file with a damaged header, a false length, or changed bytes."""
    (length,) = struct.unpack("<Q", whole[:8])
    header, body = json.loads(whole[8 : 8 + length]), whole[8 + length :]
    action = draw(st.sampled_from(["header", "card", "length", "bytes"]))
    if action == "bytes":
        return draw(bytes_of(whole))
    if action == "header":
        text = json.dumps(draw(tree(header))).encode()
    elif action == "card":
        card = json.loads(header["__metadata__"]["posekit"])
        changed = header | {"__metadata__": {"posekit": json.dumps(draw(tree(card)))}}
        text = json.dumps(changed).encode()
    else:
        text = whole[8 : 8 + length]
    size = draw(st.sampled_from([0, 1, 10**6, 2**63])) if action == "length" else len(text)
    return struct.pack("<Q", size) + text + body


@st.composite
def png_of(draw: st.DrawFn, whole: bytes) -> bytes:
    """A PNG one of whose chunks has other content, with the right checksum; or changed bytes."""
    if draw(st.booleans()):
        return draw(bytes_of(whole))
    chunks, at = [], 8
    while at < len(whole):
        (length,) = struct.unpack(">I", whole[at : at + 4])
        chunks.append((whole[at + 4 : at + 8], whole[at + 8 : at + 8 + length]))
        at += 12 + length
    victim = draw(st.integers(0, len(chunks) - 1))
    kind, data = chunks[victim]
    if kind == b"IHDR" and draw(st.booleans()):
        sizes = st.sampled_from([0, 1, 7, 9400, 2**31 - 1, 2**32 - 1])
        data = struct.pack(">II", draw(sizes), draw(sizes)) + data[8:]
    else:
        data = draw(bytes_of(data))
    chunks[victim] = (draw(st.sampled_from([kind, kind, b"iTXt", b"eXIf", b"IEND"])), data)
    out = whole[:8]
    for kind, data in chunks:
        out += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return out


@st.composite
def text_of(draw: st.DrawFn, whole: str, separators: str) -> bytes:
    """Lines of cells: some replaced, some lines doubled or cut; or changed bytes."""
    if draw(st.booleans()):
        return draw(bytes_of(whole.encode()))
    lines = whole.splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        separator = draw(st.sampled_from(list(separators)))
        cells = lines[at].split(separator)
        cells[draw(st.integers(0, len(cells) - 1))] = str(draw(st.one_of(HOSTILE, st.text(max_size=20))))
        lines[at] = separator.join(cells)
        if draw(st.booleans()):
            lines.append(lines[at])
    return "\n".join(lines).encode("utf-8", "surrogatepass")
