#!/usr/bin/env python3
"""Joins the pieces of `pack`, checks them, and unpacks them.  usage: join.py PIECES TARGET

Gives TARGET/app and, if it was packed, TARGET/tensorrt. What is there already with the same checksums stays. Needs the
zstd command, or Python's pyarrow for its zstd.
"""
import glob
import hashlib
import os
import shutil
import struct
import subprocess
import sys
import tarfile

PT_GNU_STACK = 0x6474E551


def checked(folder: str) -> dict[str, list[str]]:
    """Pieces by archive, in order; ends the program if one is missing or damaged."""
    archives: dict[str, list[str]] = {}
    for line in open(os.path.join(folder, "SHA256SUMS")):
        wanted, name = line.split()
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            sys.exit(f"join: {name} is missing in {folder}")
        with open(path, "rb") as piece:
            if hashlib.file_digest(piece, "sha256").hexdigest() != wanted:
                sys.exit(f"join: {name} is damaged; bring it once more")
        archives.setdefault(name.rsplit(".", 1)[0], []).append(path)
    return {archive: sorted(paths) for archive, paths in archives.items()}


def unpack(pieces: list[str], target: str) -> None:
    joined = target + ".tar.zst"
    with open(joined, "wb") as out:
        for piece in pieces:
            with open(piece, "rb") as part:
                shutil.copyfileobj(part, out)
    os.makedirs(target)
    if shutil.which("zstd"):
        with subprocess.Popen(["zstd", "-dcq", "--long=27", joined], stdout=subprocess.PIPE) as zstd:
            with tarfile.open(fileobj=zstd.stdout, mode="r|") as tar:
                tar.extractall(target, filter="tar")
    else:
        import pyarrow
        with pyarrow.input_stream(joined, compression="zstd") as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            tar.extractall(target, filter="tar")
    os.remove(joined)


def clear_executable_stack(library: str) -> None:
    """TensorRT 10.6's builder resource asks for an executable stack, which it does not need and some systems refuse."""
    with open(library, "r+b") as file:
        header = file.read(64)
        offset = struct.unpack_from("<Q", header, 32)[0]
        size, count = struct.unpack_from("<HH", header, 54)
        for index in range(count):
            file.seek(offset + index * size)
            kind, flags = struct.unpack("<II", file.read(8))
            if kind == PT_GNU_STACK and flags & 1:
                file.seek(offset + index * size + 4)
                file.write(struct.pack("<I", flags & ~1))


def main(folder: str, target: str) -> None:
    for archive, pieces in checked(folder).items():
        place = os.path.join(target, archive)
        done = place + ".sums"
        sums = "".join(line for line in open(os.path.join(folder, "SHA256SUMS")) if f" {archive}." in line)
        if os.path.exists(done) and open(done).read() == sums:
            print(f"join: {place} is there already")
            continue
        shutil.rmtree(place, ignore_errors=True)
        os.makedirs(target, exist_ok=True)
        unpack(pieces, place)
        if archive == "tensorrt":
            for library in glob.glob(os.path.join(place, "*.so*")):
                clear_executable_stack(library)
        with open(done, "w") as file:
            file.write(sums)
        print(f"join: {place} from {len(pieces)} pieces")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
