#!/usr/bin/env python3
"""Checks what `sam build` made: every function has its program, and the edge's fit its limit.

    python3 deploy/tests/check_build.py FOLDER
"""

import io
import os
import pathlib
import sys
import zipfile

from samtranslator.yaml_helper import yaml_parse

# CloudFront's limit for viewer functions, less what a configuration may need.
MAX_EDGE_BYTES = 1_048_576 - 16 * 1024


def zipped(folder):
    """As `sam deploy` packs it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return len(packed.getvalue())


def problems(folder):
    template = yaml_parse((folder / "template.yaml").read_text())
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        built = folder / resource["Properties"]["CodeUri"]
        if not os.access(built / "bootstrap", os.X_OK):
            yield f"{name}: no program"
        handler = resource["Properties"]["Handler"]
        if handler.endswith(".handler"):
            role = handler.removesuffix(".handler")
            for shim in (f"{role}.py", f"{role}.mjs"):
                if not (built / shim).is_file():
                    yield f"{name}: no {shim}"
            size = zipped(built)
            if size > MAX_EDGE_BYTES:
                yield f"{name}: {size} zipped bytes, {MAX_EDGE_BYTES} are the limit"
        if handler == "sample-site" and not (built / "site" / "index.html").is_file():
            yield f"{name}: no sample site"


def main():
    found = list(problems(pathlib.Path(sys.argv[1])))
    for problem in found:
        print(problem, file=sys.stderr)
    print(f"build: {len(found)} findings")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
