"""Walks a transformed template as CloudFormation does: in order, with real calls for what moto knows and
the real program for the custom resources. Creates, updates, rolls back and deletes."""

import pathlib
import uuid

from cloud import ACCOUNT, Front
from intrinsics import Evaluator, parameters, policy_allows
from program import Program
from resources import KINDS

RETAINED = ("Retain", "RetainExceptOnCreate")


class Failed(Exception):
    """A custom resource failed: its logical id and the reason given."""


class Stack:
    """A stack. `there` holds what exists: physical id, attributes, properties and resource of each logical id."""

    def __init__(self, cloud, template, program, region, work, name="teststack"):
        self.cloud, self.template, self.program, self.region = cloud, template, program, region
        self.id = f"arn:aws:cloudformation:{region}:{ACCOUNT}:stack/{name}/{uuid.uuid4()}"
        self.pseudo = {
            "AWS::Region": region, "AWS::AccountId": ACCOUNT, "AWS::Partition": "aws",
            "AWS::StackName": name, "AWS::StackId": self.id, "AWS::URLSuffix": "amazonaws.com",
        }
        self.there, self.programs, self.sent, self.work = {}, {}, [], work
        self.answers = None

    # -- What CloudFormation offers

    def create(self, given):
        self.begin("CREATE_IN_PROGRESS", given)
        try:
            self.walk()
        except Failed:
            self.begin("ROLLBACK_IN_PROGRESS", given)
            self.remove_all(rollback=True)
            raise
        return self.outputs()

    def update(self, given):
        self.begin("UPDATE_IN_PROGRESS", given)
        replaced = self.walk()
        self.cloud.main_stack = (self.id, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        wanted = set(self.wanted())
        for name, old in replaced:
            self.remove(name, old)
        for name in [name for name in reversed(self.there) if name not in wanted]:
            self.remove(name, self.there.pop(name), retain=True)
        return self.outputs()

    def delete(self):
        self.cloud.main_stack = (self.id, "DELETE_IN_PROGRESS")
        self.remove_all(rollback=False)

    # -- How

    def begin(self, status, given):
        self.cloud.main_stack = (self.id, status)
        self.evaluator = Evaluator(self.template, parameters(self.template, given), self.pseudo, self.resolve)
        self.evaluator.check_rules()
        self.visited, self.busy, self.replaced = set(), set(), []

    def wanted(self):
        for name, resource in self.template["Resources"].items():
            if "Condition" not in resource or self.evaluator.condition(resource["Condition"]):
                yield name

    def walk(self):
        for name in self.wanted():
            self.visit(name)
        return self.replaced

    def outputs(self):
        return {
            name: self.evaluator.value(output["Value"])
            for name, output in self.template["Outputs"].items()
            if "Condition" not in output or self.evaluator.condition(output["Condition"])
        }

    def resolve(self, name, attribute):
        self.visit(name)
        _, physical_id, attributes = self.there[name][:3]
        if attribute is None:
            return physical_id
        assert attribute in attributes, f"{name} has no {attribute}, only {sorted(attributes)}"
        return attributes[attribute]

    def visit(self, name):
        if name in self.visited:
            return
        resource = self.template["Resources"][name]
        condition = resource.get("Condition")
        assert condition is None or self.evaluator.condition(condition), f"{name} is referred to and not there"
        assert name not in self.busy, f"circular dependency at {name}"
        self.busy.add(name)
        properties = self.evaluator.value(resource.get("Properties", {}))
        old = self.there.get(name)
        if old is None:
            self.make(name, resource, properties)
        elif old[3] != properties:
            self.change(name, resource, properties, old)
        self.visited.add(name)

    def make(self, name, resource, properties):
        kind = resource["Type"]
        if kind.startswith("Custom::"):
            answer = self.custom("Create", name, resource, properties, None, None)
            made = (answer["PhysicalResourceId"], answer.get("Data") or {})
        else:
            made = KINDS.get(kind, KINDS[None]).create(self, name, properties)
        # In the order of their making, so that they can be removed the other way round.
        self.there.pop(name, None)
        self.there[name] = (resource, *made, properties)

    def change(self, name, resource, properties, old):
        kind = resource["Type"]
        if kind.startswith("Custom::"):
            answer = self.custom("Update", name, resource, properties, old[1], old[3])
            now = (resource, answer["PhysicalResourceId"], answer.get("Data") or {}, properties)
            if now[1] != old[1]:
                self.replaced.append((name, old))
            self.there[name] = now
        elif KINDS.get(kind, KINDS[None]).replaces(old[3], properties):
            self.make(name, resource, properties)
            self.replaced.append((name, old))
        else:
            KINDS.get(kind, KINDS[None]).update(self, old[1], properties)
            self.there[name] = (resource, old[1], old[2], properties)

    def remove_all(self, rollback):
        for name in list(reversed(self.there)):
            self.remove(name, self.there.pop(name), retain=not rollback)
        for program in self.programs.values():
            program.stop()

    def remove(self, name, old, retain=False):
        resource, physical_id, _, properties = old
        if resource.get("DeletionPolicy") in (RETAINED if retain else ()):
            return
        if resource["Type"].startswith("Custom::"):
            self.custom("Delete", name, resource, properties, physical_id, None)
        else:
            KINDS.get(resource["Type"], KINDS[None]).delete(self, physical_id, properties)

    # -- Custom resources

    def custom(self, request, name, resource, properties, physical_id, old):
        program, role = self.started(properties["ServiceToken"])
        before = len(program.front.calls)
        event = {
            "RequestType": request, "StackId": self.id, "RequestId": str(uuid.uuid4()),
            "LogicalResourceId": name, "ResourceType": resource["Type"],
            "ServiceToken": properties["ServiceToken"], "ResourceProperties": as_text(properties),
        }
        if physical_id is not None:
            event["PhysicalResourceId"] = physical_id
        if old is not None:
            event["OldResourceProperties"] = as_text(old)
        answer = program.settle(event)
        calls = program.front.calls[before:]
        self.sent.extend((name, request, call) for call in calls)
        self.check_permissions(name, role, calls)
        if answer["Status"] == "FAILED":
            self.there[name] = (resource, answer["PhysicalResourceId"], {}, properties)
            raise Failed(name, answer["Reason"])
        return answer

    def started(self, token):
        function = token.rsplit(":", 1)[1]
        for name, (resource, physical_id, _, properties) in self.there.items():
            if physical_id == function and resource["Type"] == "AWS::Lambda::Function":
                break
        else:
            raise AssertionError(f"no function {function}")
        if function not in self.programs:
            root = pathlib.Path(self.work) / function
            (root / "site" / "assets").mkdir(parents=True, exist_ok=True)
            (root / "site" / "index.html").write_text("<h1>sample</h1>")
            (root / "site" / "assets" / "app.js").write_text("// sample")
            self.programs[function] = Program(
                self.program, properties["Handler"], self.region, properties["Timeout"],
                Front(self.cloud), root, self.answers)
        role = next(n for n, there in self.there.items() if there[2].get("Arn") == properties["Role"])
        return self.programs[function], role

    def check_permissions(self, name, role, calls):
        """T-STACK-2: every call is signed, and allowed by the policies of the function's role."""
        policies = self.there[role][3].get("Policies", [])
        statements = [s for policy in policies for s in policy["PolicyDocument"]["Statement"]]
        for call in calls:
            if call.actions:
                assert call.signed
            for action in call.actions:
                assert policy_allows(statements, action, call.resource), \
                    f"{name}: the role {role} does not allow {action} on {call.resource}"

    def log(self):
        return "".join(line for program in self.programs.values() for line in program.log)


def as_text(value):
    """CloudFormation makes texts of everything but lists and objects."""
    if isinstance(value, dict):
        return {key: as_text(member) for key, member in value.items()}
    if isinstance(value, list):
        return [as_text(member) for member in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
