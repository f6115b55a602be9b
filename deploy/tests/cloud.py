"""A moto server that stands for AWS, and what stands between it and a program: a front that checks every
signature, keeps every request, serves packages, and knows the stack that is being walked.
"""

import base64
import http.client
import http.server
import io
import json
import re
import threading
import urllib.parse
import logging
import zipfile

import boto3
from moto.server import ThreadedMotoServer
from sigv4 import SECRET, KEY_ID, is_signed

ACCOUNT = "123456789012"
CREDENTIAL = re.compile(r"Credential=[^/]+/\d+/([a-z0-9-]+)/([a-z0-9-]+)/")
LAMBDA_OPERATIONS = [
    ("GET", r"/functions/([^/]+)", "GetFunction"),
    ("GET", r"/functions/([^/]+)/configuration", "GetFunctionConfiguration"),
    ("PUT", r"/functions/([^/]+)/code", "UpdateFunctionCode"),
    ("DELETE", r"/functions/([^/]+)", "DeleteFunction"),
]


class Call:
    """A request to AWS: the action that a policy has to allow, the resource, and what was sent."""

    def __init__(self, method, target, headers, body):
        self.body = body
        found = CREDENTIAL.search(headers.get("Authorization", ""))
        self.region, self.service = found.groups() if found else (None, None)
        self.signed = is_signed(method, target, headers, body)
        path, _, query = target.partition("?")
        self.actions, self.resource = [], None
        describe = {
            "cognito-idp": self.cognito, "lambda": self.function, "s3": self.bucket,
            "ssm": self.parameter, "cloudformation": self.stack,
        }.get(self.service)
        if describe:
            describe(method, urllib.parse.unquote(path), urllib.parse.parse_qs(query, True), headers)

    def json(self):
        return json.loads(self.body)

    def arn(self, rest):
        return f"arn:aws:{self.service}:{self.region}:{ACCOUNT}:{rest}"

    def cognito(self, _method, _path, _query, headers):
        self.actions = [f"cognito-idp:{headers['X-Amz-Target'].split('.')[1]}"]
        self.resource = self.arn(f"userpool/{self.json()['UserPoolId']}")

    def parameter(self, _method, _path, _query, headers):
        self.actions = [f"ssm:{headers['X-Amz-Target'].split('.')[1]}"]
        self.resource = self.arn(f"parameter{self.json()['Name']}")

    def function(self, method, path, _query, _headers):
        for verb, pattern, operation in LAMBDA_OPERATIONS:
            found = re.fullmatch(r"/\d{4}-\d\d-\d\d" + pattern, path)
            if verb == method and found:
                self.actions, self.resource = [f"lambda:{operation}"], found[1]

    def bucket(self, method, path, query, _headers):
        name, _, key = path.strip("/").partition("/")
        if key:
            action = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject"}[method]
            self.actions, self.resource = [f"s3:{action}"], f"arn:aws:s3:::{name}/{key}"
        elif "delete" in query:
            self.actions, self.resource = ["s3:DeleteObject", "s3:DeleteObjectVersion"], f"arn:aws:s3:::{name}/*"
        else:
            action = "ListBucketVersions" if "versions" in query else "ListBucket"
            self.actions, self.resource = [f"s3:{action}"], f"arn:aws:s3:::{name}"

    def stack(self, _method, _path, _query, _headers):
        form = urllib.parse.parse_qs(self.body.decode())
        self.actions, name = [f"cloudformation:{form['Action'][0]}"], form["StackName"][0]
        self.resource = name if name.startswith("arn:") else self.arn(f"stack/{name}/id")


class Front(http.server.ThreadingHTTPServer):
    """One for each program, so that it is known who called."""

    daemon_threads = True

    def __init__(self, cloud):
        self.cloud, self.calls = cloud, []
        super().__init__(("127.0.0.1", 0), Forwarder)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        """A program that has ended is no error."""


class Forwarder(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        cloud = self.server.cloud
        if self.path.startswith("/package/"):
            return self.reply(200, {}, cloud.packages[urllib.parse.unquote(self.path[9:])])
        call = Call(self.command, self.path, self.headers, body)
        self.server.calls.append(call)
        if call.actions == ["cloudformation:DescribeStacks"] and call.resource == cloud.main_stack[0]:
            return self.reply(200, {"Content-Type": "text/xml"}, main_stack(*cloud.main_stack))
        status, headers, answer = cloud.ask(self.command, self.path, self.headers, body)
        if call.actions == ["lambda:GetFunction"] and status == 200:
            answer = self.with_location(answer)
        if call.actions == ["lambda:UpdateFunctionCode"] and status == 200:
            cloud.packages[call.resource] = base64.b64decode(call.json()["ZipFile"])
        return self.reply(status, headers, answer)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = forward

    def with_location(self, answer):
        """Moto's own location cannot be fetched."""
        answer = json.loads(answer)
        arn = answer["Configuration"]["FunctionArn"].removesuffix(":$LATEST")
        answer["Code"]["Location"] = f"{self.server.url}/package/{urllib.parse.quote(arn)}"
        return json.dumps(answer).encode()

    def reply(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        length = headers.get("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def main_stack(stack_id, status):
    name = stack_id.split("/")[1]
    return (
        '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult>'
        f"<Stacks><member><StackId>{stack_id}</StackId><StackName>{name}</StackName>"
        f"<CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>{status}</StackStatus></member></Stacks>"
        "</DescribeStacksResult></DescribeStacksResponse>"
    ).encode()


class Cloud:
    """Moto, in this process."""

    def __init__(self):
        self.server = ThreadedMotoServer(port=0, verbose=False)
        self.server.start()
        self.host, self.port = self.server.get_host_and_port()
        self.packages, self.main_stack = {}, (None, None)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)

    def client(self, service, region="us-east-1"):
        return boto3.client(
            service, region_name=region, endpoint_url=f"http://{self.host}:{self.port}",
            aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET,
        )

    def ask(self, method, target, headers, body):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "connection"):
                connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        return response.status, dict(response.getheaders()), answer

    def everything(self):
        """Names of all that is there, to see what is left of a stack."""
        found = set()
        for region in ("us-east-1", "eu-west-1"):
            listed = self.client("lambda", region).list_functions()["Functions"]
            found.update(function["FunctionArn"] for function in listed)
            pools = self.client("cognito-idp", region).list_user_pools(MaxResults=60)["UserPools"]
            found.update(f"pool {pool['Id']}" for pool in pools)
            parameters = self.client("ssm", region).describe_parameters()["Parameters"]
            found.update(f"{region} parameter {parameter['Name']}" for parameter in parameters)
            stacks = self.client("cloudformation", region).describe_stacks()["Stacks"]
            found.update(f"{region} stack {stack['StackName']}" for stack in stacks)
        found.update(f"bucket {bucket['Name']}" for bucket in self.client("s3").list_buckets()["Buckets"])
        found.update(f"role {role['RoleName']}" for role in self.client("iam").list_roles()["Roles"])
        return found


def package(files):
    """A package as `sam build` would leave it, small."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()
