"""CloudFormation's parameters, conditions, rules and intrinsic functions."""

import re

NO_VALUE = object()


class Refused(Exception):
    """Parameters that CloudFormation would not take."""


def parameters(template, given):
    """The values of all parameters, checked as CloudFormation checks them."""
    declared = template["Parameters"]
    unknown = set(given) - set(declared)
    if unknown:
        raise Refused(f"unknown parameters: {', '.join(sorted(unknown))}")
    values = {}
    for name, declaration in declared.items():
        value = given.get(name, declaration.get("Default"))
        if value is None:
            raise Refused(f"{name} has no value")
        allowed, pattern = declaration.get("AllowedValues"), declaration.get("AllowedPattern")
        if allowed and value not in allowed:
            raise Refused(f"{name}: {value!r} is none of {allowed}")
        if pattern and not re.fullmatch(pattern, value):
            raise Refused(f"{name}: {value!r} does not match {pattern}")
        is_list = declaration["Type"] == "CommaDelimitedList"
        values[name] = [member.strip() for member in value.split(",")] if is_list else value
    return values


class Evaluator:
    """Values of a template. `resolve` gives the physical id (attribute None) or an attribute of a resource."""

    def __init__(self, template, values, pseudo, resolve):
        self.template, self.values, self.pseudo, self.resolve = template, values, pseudo, resolve

    def check_rules(self):
        for name, rule in self.template.get("Rules", {}).items():
            if "RuleCondition" in rule and not self.truth(rule["RuleCondition"]):
                continue
            for assertion in rule["Assertions"]:
                if not self.truth(assertion["Assert"]):
                    raise Refused(f"{name}: {assertion['AssertDescription']}")

    def condition(self, name):
        return self.truth(self.template["Conditions"][name])

    def truth(self, expression):
        (function, operands), = expression.items()
        match function:
            case "Condition":
                return self.condition(operands)
            case "Fn::Equals":
                return self.value(operands[0]) == self.value(operands[1])
            case "Fn::EachMemberEquals":
                return all(member == operands[1] for member in self.value(operands[0]))
            case "Fn::Not":
                return not self.truth(operands[0])
            case "Fn::And":
                return all(self.truth(operand) for operand in operands)
            case "Fn::Or":
                return any(self.truth(operand) for operand in operands)
        raise NotImplementedError(function)

    def value(self, expression):
        if isinstance(expression, list):
            members = [self.value(member) for member in expression]
            return [member for member in members if member is not NO_VALUE]
        if not isinstance(expression, dict):
            return expression
        if len(expression) == 1:
            (function, operand), = expression.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self.intrinsic(function, operand)
        members = {key: self.value(member) for key, member in expression.items()}
        return {key: member for key, member in members.items() if member is not NO_VALUE}

    def intrinsic(self, function, operand):
        match function:
            case "Ref":
                return self.ref(operand)
            case "Fn::GetAtt":
                return self.resolve(*(operand if isinstance(operand, list) else operand.split(".", 1)))
            case "Fn::If":
                name, then, otherwise = operand
                return self.value(then if self.condition(name) else otherwise)
            case "Fn::Join":
                return operand[0].join(self.value(operand[1]))
            case "Fn::Split":
                return self.value(operand[1]).split(operand[0])
            case "Fn::Select":
                return self.value(operand[1])[int(operand[0])]
            case "Fn::Sub":
                return self.sub(operand)
            case "Fn::FindInMap":
                table, first, second = operand
                return self.template["Mappings"][table][first][second]
        raise NotImplementedError(function)

    def sub(self, operand):
        text, names = (operand, {}) if isinstance(operand, str) else operand
        names = {name: self.value(value) for name, value in names.items()}

        def replaced(match):
            name = match[1]
            if name in names:
                return names[name]
            return self.resolve(*name.split(".", 1)) if "." in name else self.ref(name)

        return re.sub(r"\$\{([^}]+)\}", replaced, text)

    def ref(self, name):
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.values:
            return self.values[name]
        return self.resolve(name, None)


def policy_allows(statements, action, resource):
    """Whether the statements of a role's policies allow an action on a resource."""
    def matches(patterns, text):
        patterns = patterns if isinstance(patterns, list) else [patterns]
        return any(re.fullmatch(re.escape(p).replace(r"\*", ".*"), text) for p in patterns)

    return any(
        statement["Effect"] == "Allow"
        and matches(statement["Action"], action)
        and matches(statement["Resource"], resource)
        for statement in statements
    )
