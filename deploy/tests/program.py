"""The real custom-resource program under a Runtime API of our own, with a response URL on loopback."""

import http.server
import json
import os
import queue
import subprocess
import threading
import time
import uuid

from sigv4 import KEY_ID, SECRET

MAX_RESPONSE_BYTES = 4096
PATIENCE_S = 120


class RuntimeApi(http.server.ThreadingHTTPServer):
    """Lambda's Runtime API for one function."""

    daemon_threads = True

    def __init__(self, timeout_s):
        self.timeout_s, self.events, self.outcomes = timeout_s, queue.Queue(), queue.Queue()
        super().__init__(("127.0.0.1", 0), Invocations)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A program that was ended is no error."""


class Invocations(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        event = self.server.events.get()
        self.reply(200, json.dumps(event).encode(), {
            "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + self.server.timeout_s) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
        })

    def do_POST(self):
        length = self.headers.get("Content-Length")
        body = self.rfile.read(int(length)) if length else self.chunks()
        self.server.outcomes.put((self.path.rsplit("/", 1)[1], body))
        self.reply(202, b"{}", {})

    def chunks(self):
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def reply(self, status, body, headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Answers(http.server.ThreadingHTTPServer):
    """Where CloudFormation would wait for answers."""

    daemon_threads = True

    def __init__(self):
        self.answers = queue.Queue()
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answer(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answers.put((body, self.headers.get("Content-Type")))
        self.send_response(200)
        self.end_headers()


class Program:
    """A function of the stack: the program, started once, with everything it logs kept."""

    def __init__(self, path, handler, region, timeout_s, front, task_root, answers):
        self.front, self.answers = front, answers
        self.api = RuntimeApi(timeout_s)
        self.log = []
        environment = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.api.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": handler, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "_HANDLER": handler,
            "LAMBDA_TASK_ROOT": str(task_root), "AWS_REGION": region, "AWS_ENDPOINT_URL": front.url,
            "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET,
            "PATH": os.environ["PATH"],
        }
        self.process = subprocess.Popen(
            [path], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=lambda: self.log.extend(self.process.stdout), daemon=True).start()

    def settle(self, event):
        """The one answer to an event, checked as CloudFormation would."""
        event = {**event, "ResponseURL": f"http://127.0.0.1:{self.answers.server_port}/answer?X-Amz-Signature=hidden"}
        self.api.events.put(event)
        kind, told = self.api.outcomes.get(timeout=PATIENCE_S)
        assert kind == "response", (kind, told)
        body, content_type = self.answers.answers.get(timeout=1)
        assert self.answers.answers.empty(), "answered twice"
        assert content_type == "", f"content type {content_type!r}"
        assert len(body) <= MAX_RESPONSE_BYTES, f"{len(body)} bytes"
        answer = json.loads(body)
        for name in ("StackId", "RequestId", "LogicalResourceId"):
            assert answer[name] == event[name], name
        assert answer["PhysicalResourceId"] and answer["Status"] in ("SUCCESS", "FAILED"), answer
        return answer

    def stop(self):
        self.process.kill()
        self.process.wait()
