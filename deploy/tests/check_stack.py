#!/usr/bin/env python3
"""Checks the template and walks it through creations, updates and deletions, without AWS.

    python3 deploy/tests/check_stack.py PROGRAM [CASE ...]

PROGRAM is the custom-resource program. Exit status 1 when anything is wrong.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time
import traceback

import edge_lint
import intrinsics
from cases import CASES
from cloud import Cloud
from program import Answers
from readme import parameter_table_problems
from stack import Failed, Stack
from transform import transform

DEPLOY = pathlib.Path(__file__).resolve().parent.parent
TEMPLATE = DEPLOY / "template.yaml"


class Walk:
    """A case under way, for its checks."""

    def __init__(self, case, cloud, stack):
        self.case, self.cloud, self.stack, self.outputs = case, cloud, stack, {}

    def parameters(self, given):
        return given(self) if callable(given) else given


def lint(template):
    """cfn-lint of the template as it is written and as it is transformed, and the edge's own rules."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(template, file)
        file.flush()
        for path in (TEMPLATE, file.name):
            linted = subprocess.run(
                [pathlib.Path(sys.executable).with_name("cfn-lint"), "--regions", "us-east-1", "eu-west-1", "--", str(path)],
                capture_output=True, text=True, check=False)
            if linted.returncode:
                yield linted.stdout + linted.stderr
    yield from edge_lint.problems(template)
    yield from version_problems(template)
    yield from parameter_table_problems(template)


def version_problems(template):
    """The template's version is the workspace's."""
    cargo = (DEPLOY.parent / "Cargo.toml").read_text()
    version = cargo.split("[workspace.package]")[1].split('version = "')[1].split('"')[0]
    found = {template["Mappings"]["Package"]["Portcullis"]["Version"], template["Parameters"]["Version"]["Default"]}
    if found != {version}:
        yield f"the template's versions are {found}, the workspace's is {version}"


def walk(case, cloud, template, program, answers):
    """Create, update, delete; then nothing may be left."""
    before = cloud.everything()
    with tempfile.TemporaryDirectory() as work:
        stack = Stack(cloud, template, program, case.region, work)
        stack.answers = answers
        state = Walk(case, cloud, stack)
        case.prepare(state)
        if case.fails is not None:
            refused(case, state)
        else:
            state.outputs = stack.create(state.parameters(case.given))
            case.created(state)
            stack.sent.clear()
            state.outputs = stack.update(state.parameters(case.updated))
            case.changed(state)
            stack.delete()
            case.deleted(state)
    left = cloud.everything() - before
    assert not left, f"left over: {sorted(left)}"


def refused(case, state):
    try:
        state.stack.create(state.parameters(case.given))
    except Failed as failed:
        name, reason = failed.args
        assert case.fails in reason, f"{name}: {reason}"
    else:
        raise AssertionError("the stack was created")


def parameters_are_checked(template):
    """What CloudFormation refuses before it makes anything."""
    for given, expected in [
        ({"UserPoolArn": "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_A"}, "UserPoolArn needs"),
        ({"UserPoolClientId": "c"}, "UserPoolClientId needs"),
        ({"Aliases": "a.example.com"}, "Aliases need"),
        ({"AcmCertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1"}, "AcmCertificateArn"),
        ({"CustomOriginDomainName": "a", "S3OriginDomainName": "b"}, "exclude each other"),
        ({"EdgeRuntime": "nodejs20.x"}, "EdgeRuntime"),
        ({"RedirectPathSignIn": "parseauth"}, "RedirectPathSignIn"),
    ]:
        try:
            values = intrinsics.parameters(template, given)
            intrinsics.Evaluator(template, values, {}, None).check_rules()
        except intrinsics.Refused as refusal:
            assert expected in str(refusal), refusal
        else:
            raise AssertionError(f"{given} was taken")


def main():
    program, wanted = sys.argv[1], set(sys.argv[2:])
    template = transform(TEMPLATE)
    problems = list(lint(template))
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"lint: {len(problems)} findings, {len(template['Resources'])} resources")
    parameters_are_checked(template)
    cloud, answers = Cloud(), Answers()
    failed = 0
    for case in CASES:
        if wanted and case.name not in wanted:
            continue
        started = time.monotonic()
        try:
            walk(case, cloud, template, program, answers)
            print(f"ok      {case.name} ({time.monotonic() - started:.1f} s)")
        except Exception:  # The next case may tell more.
            failed += 1
            print(f"FAILED  {case.name}")
            traceback.print_exc()
    print(f"{len(CASES) if not wanted else len(wanted)} stacks, {failed} failed")
    sys.exit(bool(failed or problems))


if __name__ == "__main__":
    main()
