"""Hands the managed Python runtime's process over to the native program beside this file.

os.execv replaces the process: same pid, same environment, and the program then talks to Lambda's Runtime
API itself. Whatever is wrong with the program is raised here, so that Lambda reports it as an
initialisation error and nobody waits for a time-out.
"""

import os
import struct

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bootstrap")
ELF64_LITTLE_ENDIAN = b"\x7fELF\x02\x01"
X86_64 = 62


class ProgramError(Exception):
    """The package does not hold the program that it should."""


def check(path):
    """Refuses what execv could not start, or would start only to crash."""
    if not os.path.isfile(path):
        raise ProgramError(f"{path} is missing: this package is incomplete, emit and upload it again")
    if not os.access(path, os.X_OK):
        raise ProgramError(f"{path} is not executable: zip it with its mode 0755")
    with open(path, "rb") as file:
        head = file.read(64)
    if len(head) < 64 or head[:6] != ELF64_LITTLE_ENDIAN or struct.unpack_from("<H", head, 18)[0] != X86_64:
        raise ProgramError(f"{path} is not an x86-64 Linux program: Lambda@Edge runs nothing else")
    # The section headers are the last thing in the file.
    (start,) = struct.unpack_from("<Q", head, 40)
    size, count = struct.unpack_from("<HH", head, 58)
    if os.path.getsize(path) < start + size * count:
        raise ProgramError(f"{path} is cut short: emit and upload this package again")


check(PROGRAM)
os.execv(PROGRAM, [PROGRAM])
