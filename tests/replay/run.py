#!/usr/bin/env python3
"""Puts recorded events to a real edge package and to the proxy in edge parity, with `portcullis replay`.

    run.py PORTCULLIS PACKAGE [--every N]

PACKAGE is one of the zips that `make edge-package` writes, or its unpacked folder. The events are those of
auth-core/tests/parity/vectors. Both programs go by the true clock, so what counts is that they agree, not what
the vector expects. Last line: "N passed, M failed".
"""
import argparse, gzip, json, pathlib, subprocess, sys, tempfile, zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HANDLERS = ["check-auth", "parse-auth", "refresh-auth", "sign-out"]
# Exit codes of `portcullis replay`.
EQUAL, DIFFERENT = 0, 1


def vectors():
    for handler in HANDLERS:
        with gzip.open(ROOT / f"auth-core/tests/parity/vectors/{handler}.jsonl.gz", "rt", encoding="utf-8") as lines:
            yield from (json.loads(line) for line in lines)


def is_http(vector):
    """Whether the event can come as an HTTP request, and the functions start with its configuration."""
    request = vector["event"]["Records"][0]["cf"]["request"]
    target = request["uri"] + "?" + request["querystring"]
    fields = [field["value"] for fields in request["headers"].values() for field in fields]
    plain = all(" " < letter <= "~" and letter != "#" for letter in target)
    clean = not any(letter < " " and letter != "\t" or letter == "\x7f" for value in fields for letter in value)
    ends = vector["expect"]["type"] == "error" or "exotic" in vector.get("tags", [])
    return request["uri"].startswith("/") and plain and clean and "host" in request["headers"] and not ends


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("portcullis", type=pathlib.Path)
    parser.add_argument("package", type=pathlib.Path)
    parser.add_argument("--every", type=int, default=1)
    given = parser.parse_args()
    chosen = [vector for vector in vectors() if is_http(vector)][:: given.every]
    passed, failed = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        package = given.package
        if package.suffix == ".zip":
            with zipfile.ZipFile(package) as packed:
                packed.extract("bootstrap", folder)
            package = folder / "bootstrap"
            package.chmod(0o755)
        for vector in chosen:
            host = vector["event"]["Records"][0]["cf"]["request"]["headers"]["host"][0]["value"]
            site = {
                "hosts": [host],
                "edge_parity": True,
                "methods": ["GET", "HEAD", "POST"],
                "auth": {"file": "configuration.json"},
                "origin": {"kind": "custom", "url": "http://127.0.0.1:1"},
            }
            config = {"listen": {"http": ["127.0.0.1:0"]}, "sites": [site]}
            (folder / "config.json").write_text(json.dumps(config))
            (folder / "configuration.json").write_text(json.dumps(vector["config"]))
            (folder / "event.json").write_text(json.dumps(vector["event"]))
            command = [given.portcullis, "replay", folder / "event.json", "--edge", package]
            command += ["--config", folder / "config.json"]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode == EQUAL:
                passed += 1
                continue
            failed += 1
            print(f"{vector['id']}: exit code {done.returncode}")
            interesting = [line for line in done.stdout.splitlines() if line.startswith("different")]
            print("    " + "\n    ".join(interesting or done.stderr.splitlines()))
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
